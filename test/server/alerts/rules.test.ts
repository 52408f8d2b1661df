import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { conditionsOf, type Facts } from '../../../server/alerts/rules.js';
import type { CurrentDocument } from '../../../shared/panel.js';

const T = Date.parse('2026-11-26T12:00:00.000Z');
const SETTINGS = { unreachableAfter: 60_000, doorOpenAfter: undefined };
const PLAIN: CurrentDocument = { alarm_armed: false, siren_ringing: false, door_open: false };

const facts = (current: Partial<CurrentDocument>, more: Partial<Facts> = {}): Facts => ({
  current: { ...PLAIN, ...current },
  reportedAt: T,
  lostSince: undefined,
  openSince: undefined,
  ...more,
});

const said = (of: Facts, now = T, settings = SETTINGS) =>
  conditionsOf(of, now, settings).conditions.map(({ kind, subject }) => `${kind} ${subject}`.trim());

test('a quiet panel, and a device that is no panel, has no condition', () => {
  assert.equal(said(facts({})), []);
  assert.equal(said({ ...facts({}), current: undefined }), []);
  assert.equal(said(facts({ alarm_armed: true })), []);
});

test('an alarm lasts until the panel is disarmed, also when its siren has run out', () => {
  const last_alarm = { contacts: ['window', 'door'] };
  const alarm = ['triggered window', 'triggered door'];
  assert.equal(said(facts({ alarm_armed: true, siren_ringing: true, last_alarm })), alarm);
  assert.equal(said(facts({ alarm_armed: true, last_alarm })), alarm);
  assert.equal(said(facts({ last_alarm })), []);
});

test('a siren that rings in a disarmed house is an alarm', () => {
  const contacts = { smoke: { open: true, kind: 'always' as const } };
  const found = conditionsOf(
    facts({ siren_ringing: true, last_alarm: { contacts: ['smoke'] }, contacts }),
    T,
    SETTINGS,
  );
  assert.equal(
    found.conditions.map(({ subject, isLifeSafety }) => [subject, isLifeSafety]),
    [['smoke', true]],
  );
});

test('a siren without a known cause is an alarm, and an alarm began when the panel says', () => {
  assert.equal(said(facts({ siren_ringing: true })), ['triggered']);
  const at = new Date(T - 5000).toISOString();
  const [condition] = conditionsOf(
    facts({ siren_ringing: true, last_alarm: { contacts: ['door'], at } }),
    T,
    SETTINGS,
  ).conditions;
  assert.is(condition?.since, T - 5000);
});

test('each fault of the panel and of a line is a condition', () => {
  const contacts = { window: { open: false, kind: 'always' as const, fault: 'cut' as const } };
  assert.equal(said(facts({ fault: 'flash', contacts })), ['fault flash', 'fault window: line cut']);
});

test('an armed panel may be without contact for a minute', () => {
  const lost = facts({ alarm_armed: true }, { lostSince: T });
  assert.equal(said(lost, T + 59_999), []);
  assert.is(conditionsOf(lost, T, SETTINGS).lookAgainAt, T + 60_000);
  assert.equal(said(lost, T + 60_000), ['unreachable']);
  assert.is(conditionsOf(lost, T + 60_000, SETTINGS).lookAgainAt, undefined);
});

test('a disarmed panel may be without contact for ever', () => {
  const lost = facts({}, { lostSince: T });
  assert.equal(said(lost, T + 1e9), []);
  assert.is(conditionsOf(lost, T, SETTINGS).lookAgainAt, undefined);
});

test('a door that stays open is a condition only where the owner wants that', () => {
  const open = facts({ door_open: true }, { openSince: T });
  assert.equal(said(open, T + 1e9), []);
  const settings = { ...SETTINGS, doorOpenAfter: 300_000 };
  assert.equal(said(open, T + 299_999, settings as never), []);
  assert.equal(said(open, T + 300_000, settings as never), ['door_open']);
});

test('what the panel says in a form that is not understood raises nothing', () => {
  const odd = { last_alarm: 'yes', contacts: [1], fault: 7 } as never;
  assert.equal(said(facts({ alarm_armed: true, ...(odd as object) })), []);
});

test.run();
