import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  marksIn,
  type Span,
  summaryText,
  timelineOf,
} from '../../../../../server/app/page/state/timeline.js';
import { HOUR, MINUTE, run, T } from './world.js';

const minutes = (from: number, to: number): Span => ({ from: T + from * MINUTE, to: T + to * MINUTE });

test('a state lasts until the next one, or until the end', () => {
  const runs = [run(0, 1), run(2, 3, { armed: true }), run(4, 5, { armed: true, open: true }), run(6, 7)];
  const timeline = timelineOf(runs, minutes(0, 10), undefined);
  assert.equal(timeline.armed, [minutes(2, 6)]);
  assert.equal(timeline.open, [minutes(4, 6)]);
  assert.equal(timeline.ringing, []);
  assert.equal(timeline.lost, []);
  assert.equal(timeline.unrecorded, []);
});

test('what goes on is shown up to the end', () => {
  const timeline = timelineOf([run(0, 1, { armed: true })], minutes(0, 10), undefined);
  assert.equal(timeline.armed, [minutes(0, 10)]);
});

test('nothing is known of the time without contact, before and after which it is', () => {
  const before = { ...run(0, 1, { armed: true }), last: 1001 };
  const after = { ...run(8, 9, { armed: true }), first: 1002 };
  const timeline = timelineOf([before, after], minutes(0, 10), undefined);
  assert.equal(timeline.lost, [minutes(1, 8)]);
  assert.equal(timeline.armed, [minutes(0, 1), minutes(8, 10)]);
});

test('a contact that is lost now was lost when the panel was last heard', () => {
  const timeline = timelineOf([run(0, 1, { open: true })], minutes(0, 10), T + 4 * MINUTE);
  assert.equal(timeline.open, [minutes(0, 4)]);
  assert.equal(timeline.lost, [minutes(4, 10)]);
});

test('before the first run and where versions are missing there is no record', () => {
  const runs = [run(2, 3), { ...run(6, 7), first: 1050, last: 1051 }];
  const timeline = timelineOf(runs, minutes(0, 10), undefined);
  assert.equal(timeline.unrecorded, [minutes(0, 2), minutes(3, 6)]);
  assert.equal(timeline.lost, []);
});

test('without any run there is no record at all', () => {
  assert.equal(timelineOf([], minutes(0, 10), undefined).unrecorded, [minutes(0, 10)]);
  assert.equal(timelineOf([], minutes(0, 10), T).unrecorded, [minutes(0, 10)]);
});

test('what reaches beyond the picture is cut', () => {
  const runs = [run(-60, -1, { armed: true }), run(0, 90, { armed: true, ringing: true })];
  const timeline = timelineOf(runs, minutes(0, 10), undefined);
  assert.equal(timeline.armed, [minutes(0, 10)]);
  assert.equal(timeline.ringing, [minutes(0, 10)]);
});

test('the marks stand at whole hours of the clock', () => {
  const marks = marksIn(
    { from: T + MINUTE, to: T + MINUTE + 24 * HOUR },
    (date) => date.getHours() % 6 === 0,
  );
  assert.is(marks.length, 4);
  for (const mark of marks) {
    const date = new Date(mark);
    assert.equal([date.getHours() % 6, date.getMinutes(), date.getSeconds()], [0, 0, 0]);
  }
});

test('the picture says in words what it shows', () => {
  const before = { ...run(0, 1, { armed: true }), last: 1001 };
  const after = { ...run(8, 9, { open: true }), first: 1002 };
  assert.is(
    summaryText('day', timelineOf([before, after], minutes(-2, 10), undefined)),
    'The last 24 hours: armed for 1 min, door opened once, siren rang 0 times, no contact for 7 min, no record of 2 min.',
  );
});

test.run();
