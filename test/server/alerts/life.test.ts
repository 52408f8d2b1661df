import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Alert, type Condition, textOf } from '../../../server/alerts/alert.js';
import {
  acknowledged,
  afterTelling,
  ESCALATION,
  groupOf,
  happened,
  inNextGroup,
  reconciled,
  tellingOf,
} from '../../../server/alerts/life.js';

const T = Date.parse('2026-11-26T12:00:00.000Z');
const SECOND = 1000;
const PANEL = { id: 'p', name: 'Front door' };
const at = (ms: number): string => new Date(T + ms).toISOString();

const alarm = (subject = 'window', more: Partial<Condition> = {}): Condition => ({
  kind: 'triggered',
  subject,
  since: T,
  ...more,
});

/** The alerts after the conditions at each time, and those that changed at the last of them. */
function after(steps: readonly [ms: number, conditions: readonly Condition[], mutedUntil?: number][]): {
  all: Alert[];
  changed: Alert[];
} {
  const all = new Map<string, Alert>();
  let changed: Alert[] = [];
  let ids = 0;
  for (const [ms, conditions, muted] of steps) {
    const until = muted === undefined ? undefined : T + muted;
    changed = reconciled([...all.values()], conditions, PANEL, T + ms, until, () => `a${++ids}`);
    for (const alert of changed) all.set(alert.id, alert);
  }
  return { all: [...all.values()], changed };
}

/** The alert after so many tellings, each when it is due. */
function told(alert: Alert, times: number, groups = 1): Alert {
  let next = alert;
  for (let n = 0; n < times; n++) next = afterTelling(next, Date.parse(next.tell_at ?? ''), groups, ['c.x']);
  return next;
}

const only = ([alert]: readonly Alert[]): Alert => {
  if (alert === undefined) throw new Error('there is no alert');
  return alert;
};

test('an alert is raised once for each thing that is so, and is due at once', () => {
  const { all, changed } = after([
    [0, [alarm('window'), alarm('door')]],
    [SECOND, [alarm('window'), alarm('door')]],
  ]);
  assert.equal(
    all.map(({ subject, state, tell_at }) => [subject, state, tell_at]),
    [
      ['window', 'raised', at(0)],
      ['door', 'raised', at(0)],
    ],
  );
  assert.equal(changed, []);
});

test('an alert is resolved when the thing is over, and another one stays', () => {
  const raised = after([[0, [alarm('window'), alarm('door')]]]).all.map((alert) => told(alert, 1));
  const changed = reconciled(raised, [alarm('door')], PANEL, T + SECOND, undefined, () => 'x');
  assert.equal(
    changed.map(({ subject, state, resolved_at, tell_at }) => [subject, state, resolved_at, tell_at]),
    [['window', 'resolved', at(SECOND), at(SECOND)]],
  );
  assert.is(tellingOf(only(changed)), 'resolved');
});

test('the same thing is raised anew, and says how often it was so', () => {
  const { all } = after([
    [0, [alarm()]],
    [60 * SECOND, []],
    [90 * SECOND, [alarm()]],
    [100 * SECOND, []],
    [ESCALATION.flapMs + SECOND, [alarm()]],
  ]);
  assert.equal(
    all.map(({ id, flaps }) => [id, flaps]),
    [
      ['a1', 0],
      ['a2', 1],
      ['a3', 0],
    ],
  );
});

test('an alarm is repeated ten times, then goes to the next group as well, and ends with the last group', () => {
  const first = only(after([[0, [alarm()]]]).all);
  const groups: number[] = [];
  let alert = first;
  while (alert.tell_at !== null) {
    groups.push(groupOf(alert));
    alert = told(alert, 1, 2);
  }
  assert.equal(groups, [...Array(11).fill(1), ...Array(11).fill(2)]);
  assert.is(told(first, 1, 2).tell_at, at(60 * SECOND));
  assert.equal([tellingOf(first), tellingOf(told(first, 1))], ['raised', 'repeated']);
});

test('an alarm that reached no place goes to the next group at once, as long as there is one', () => {
  const alert = told(only(after([[0, [alarm()]]]).all), 1, 2);
  const next = inNextGroup(alert, T + SECOND, 2);
  assert.equal([groupOf(next), next.tell_at, tellingOf(next)], [2, at(SECOND), 'repeated']);
  assert.is(inNextGroup(alert, T, 1), alert);
  const seen = acknowledged(alert, 'Anna', T);
  assert.is(inNextGroup(seen, T, 2), seen);
});

test('an alert of another kind is sent once', () => {
  const fault: Condition = { kind: 'fault', subject: 'flash', since: T };
  assert.is(told(only(after([[0, [fault]]]).all), 1).tell_at, null);
});

test('an acknowledgement ends the repetition, and an hour later the alarm is sent again and repeated', () => {
  const alert = acknowledged(told(only(after([[0, [alarm()]]]).all), 1), 'Anna', T + 5 * SECOND);
  assert.equal(
    [alert.state, alert.acknowledged_by, alert.acknowledged_at, alert.tell_at],
    ['acknowledged', 'Anna', at(5 * SECOND), at(5 * SECOND + ESCALATION.remindMs)],
  );
  const reminded = told(alert, 1);
  assert.equal([reminded.state, reminded.tell_at === null], ['raised', false]);
});

test('a second or a late acknowledgement changes nothing', () => {
  const alert = acknowledged(only(after([[0, [alarm()]]]).all), 'Anna', T);
  assert.is(acknowledged(alert, 'Ben', T + SECOND), alert);
  const over = only(reconciled([alert], [], PANEL, T + SECOND, undefined, () => 'x'));
  assert.is(acknowledged(over, 'Ben', T + 2 * SECOND), over);
});

test('a contact that trips in an acknowledged alarm is an alert of its own', () => {
  const alert = acknowledged(told(only(after([[0, [alarm('window')]]]).all), 1), 'Anna', T);
  const changed = reconciled(
    [alert],
    [alarm('window'), alarm('door')],
    PANEL,
    T + SECOND,
    undefined,
    () => 'b',
  );
  assert.equal(
    changed.map(({ subject, state }) => [subject, state]),
    [['door', 'raised']],
  );
});

test('what begins and ends while it is muted is not told', () => {
  const { all } = after([
    [0, [alarm()], 600 * SECOND],
    [SECOND, [], 600 * SECOND],
  ]);
  assert.equal([only(all).state, only(all).tell_at], ['resolved', null]);
});

test('an alarm that was due and ends before it could be sent is sent as one that has happened', () => {
  const ended = only(
    after([
      [0, [alarm()]],
      [SECOND, []],
    ]).all,
  );
  assert.equal([ended.state, ended.tell_at, tellingOf(ended)], ['resolved', at(SECOND), 'raised']);
  assert.match(textOf(ended, 'raised'), /^It happened at /);
  assert.is(told(ended, 1).tell_at, null);
});

test('a panel that is back before its loss was sent is not sent', () => {
  const lost = { kind: 'unreachable' as const, subject: '', since: T };
  const { all } = after([
    [0, [lost]],
    [SECOND, []],
  ]);
  assert.equal([only(all).state, only(all).tell_at], ['resolved', null]);
});

test('what is still so at the end of the mute is sent then, with its real time', () => {
  const alert = only(after([[5 * SECOND, [alarm()], 600 * SECOND]]).all);
  assert.equal([alert.raised_at, alert.tell_at], [at(0), at(600 * SECOND)]);
});

test('what was sent and ends while it is muted is sent as over at the end of the mute', () => {
  const alert = told(only(after([[0, [alarm()]]]).all), 1);
  const over = only(reconciled([alert], [], PANEL, T + SECOND, T + 600 * SECOND, () => 'x'));
  assert.equal([over.tell_at, tellingOf(over)], [at(600 * SECOND), 'resolved']);
});

test('a contact that counts day and night is never muted', () => {
  const alert = only(after([[0, [alarm('smoke', { isLifeSafety: true })], 600 * SECOND]]).all);
  assert.is(alert.tell_at, at(0));
});

test('what happens and is over at once is sent once', () => {
  const alert = happened({ kind: 'armed', subject: 'Anna', since: T }, PANEL, T, undefined, 'x');
  assert.equal([alert.state, alert.resolved_at, tellingOf(alert)], ['resolved', at(0), 'raised']);
  assert.is(told(alert, 1).tell_at, null);
});

test('those who were sent are remembered once each', () => {
  const alert = only(after([[0, [alarm()]]]).all);
  const twice = afterTelling(afterTelling(alert, T, 1, ['a.x']), T, 1, ['a.x', 'b.y']);
  assert.equal(twice.recipients, ['a.x', 'b.y']);
});

test('a message says when it began, to the second, how often it happened before, and that a test is one', () => {
  const alert = only(after([[0, [alarm()]]]).all);
  assert.is(textOf(alert, 'raised'), 'It began at 2026-11-26 12:00:00 UTC.');
  assert.is(
    textOf({ ...alert, flaps: 2 }, 'repeated'),
    'It goes on, and is not acknowledged. It began at 2026-11-26 12:00:00 UTC. It also happened 2 times in the hour before.',
  );
  const over = { ...alert, resolved_at: at(5 * SECOND) };
  assert.is(textOf(over, 'raised'), 'It happened at 2026-11-26 12:00:00 UTC.');
  assert.is(textOf(over, 'resolved'), 'It lasted from 2026-11-26 12:00:00 UTC to 2026-11-26 12:00:05 UTC.');
  assert.is(textOf(alert, 'test'), 'This is a test. Nothing has happened.');
});

test.run();
