import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { A_DATE } from './memory-board.js';
import {
  answerDesired,
  CURRENT,
  connecting,
  DESIRED,
  GET,
  IDLE,
  push,
  refuse,
  SECOND,
  settled,
} from './twin-on-board.js';

test('after the connection: ask for desired, carry it out, read the door, report current whole', () => {
  const { board, panel, clock } = connecting();
  clock.time = A_DATE;
  board.client.accept();
  assert.equal(board.client.take(), [GET]);
  answerDesired(board, true, 3);
  assert.equal(panel.orders, [true]);
  assert.is(panel.looks, 1);
  assert.equal(board.client.take(), [
    {
      topic: `${CURRENT}/put`,
      body: { data: { last_update: '2026-01-02T03:04:05.000Z', ...IDLE, alarm_armed: true } },
    },
  ]);
});

test('without a desired document the panel stays as it is and reports itself', () => {
  const { board, panel } = connecting();
  board.client.accept();
  board.client.take();
  refuse(board, GET.topic, 'document not found');
  assert.equal(panel.orders, []);
  assert.equal(board.client.take(), [{ topic: `${CURRENT}/put`, body: { data: IDLE } }]);
  assert.is(board.traced('twin:'), 0);
});

test('a server that does not answer gets the report after 5 s', () => {
  const { board } = connecting();
  board.client.accept();
  board.client.take();
  board.advance(5 * SECOND - 1);
  assert.equal(board.client.take(), []);
  board.advance(1);
  assert.equal(board.client.take(), [{ topic: `${CURRENT}/put`, body: { data: IDLE } }]);
});

test('a change while the first answer is awaited is reported at once', () => {
  const { board, panel } = connecting();
  board.client.accept();
  board.client.take();
  panel.set({ doorOpen: true });
  assert.equal(board.client.take(), [
    { topic: `${CURRENT}/put`, body: { data: { ...IDLE, door_open: true } } },
  ]);
  answerDesired(board, false, 1);
  assert.equal(board.client.take(), []);
});

test('a change is reported at once, as a patch of only what changed', () => {
  const { board, panel, clock } = settled();
  panel.set({ doorOpen: true });
  clock.time = A_DATE;
  panel.set({ doorOpen: false, sirenRinging: true });
  assert.equal(board.client.take(), [
    { topic: `${CURRENT}/patch`, body: { data: { door_open: true } } },
    {
      topic: `${CURRENT}/patch`,
      body: { data: { last_update: '2026-01-02T03:04:05.000Z', siren_ringing: true, door_open: false } },
    },
  ]);
});

test('while the connection takes nothing changes gather, and the newest state wins', () => {
  const { board, panel } = settled();
  board.client.makeRoom(0);
  for (let time = 0; time < 1000; time++) panel.set({ doorOpen: time % 2 === 0, armed: time % 3 === 0 });
  panel.set({ doorOpen: true, armed: true, sirenRinging: true });
  board.client.makeRoom(10_000);
  const said = board.client.take();
  assert.ok(said.length <= 2);
  const told = said.map(({ body }) => (body as { data: object }).data);
  assert.equal(Object.assign({ ...IDLE }, ...told), {
    alarm_armed: true,
    siren_ringing: true,
    door_open: true,
  });
});

test('whatever changes whenever, the patches add up to the state', () => {
  const changes = fc.array(
    fc.record({
      state: fc.record({ armed: fc.boolean(), doorOpen: fc.boolean(), sirenRinging: fc.boolean() }),
      room: fc.option(fc.nat(400)),
    }),
  );
  fc.assert(
    fc.property(changes, (steps) => {
      const { board, panel } = settled();
      for (const { state, room } of steps) {
        if (room !== null) board.client.makeRoom(room);
        panel.set(state);
      }
      board.client.makeRoom(100_000);
      const told = board.client.take().map(({ body }) => (body as { data: object }).data);
      const { armed, sirenRinging, doorOpen } = panel.state;
      const current = { alarm_armed: armed, siren_ringing: sirenRinging, door_open: doorOpen };
      assert.equal(Object.assign({ ...IDLE }, ...told), current);
    }),
  );
});

test('what changed while the connection was lost is reported once, whole', () => {
  const { board, panel, onlines } = settled();
  board.client.end();
  panel.set({ doorOpen: true });
  panel.set({ sirenRinging: true });
  board.advanceToConnection();
  board.client.accept();
  assert.equal(board.client.take(), [GET]);
  answerDesired(board, false, 1);
  assert.equal(board.client.take(), [
    { topic: `${CURRENT}/put`, body: { data: { ...IDLE, siren_ringing: true, door_open: true } } },
  ]);
  assert.equal(onlines, [true, false, true]);
});

test('a push is carried out, and reported by a patch', () => {
  const { board, panel } = settled();
  push(board, true, 2);
  assert.equal(panel.orders.at(-1), true);
  assert.equal(board.client.take(), [{ topic: `${CURRENT}/patch`, body: { data: { alarm_armed: true } } }]);
});

test('desired is asked for every 30 s, and the door is read afresh', () => {
  const { board, panel } = settled();
  const looks = panel.looks;
  board.advance(30 * SECOND - 1);
  assert.equal(board.client.take(), []);
  board.advance(1);
  assert.equal(board.client.take(), [GET]);
  assert.is(panel.looks, looks + 1);
});

test('the pause between two questions is a setting', () => {
  const { board } = settled({ pollInterval: 7 * SECOND, refreshInterval: 1000 * SECOND });
  board.advance(70 * SECOND);
  assert.is(board.client.take().length, 10);
});

test('last_update is never older than a minute while connected', () => {
  const { board, panel, clock } = settled();
  clock.time = A_DATE;
  let reportedAt = 0;
  for (let second = 1; second <= 600; second++) {
    board.advance(SECOND);
    if (second === 130) panel.set({ doorOpen: true });
    const reports = board.client.take().filter(({ topic }) => topic === `${CURRENT}/patch`);
    if (reports.length > 0) reportedAt = second;
    assert.ok(second - reportedAt < 60);
  }
});

test('a refresh without a change says only last_update', () => {
  const { board, clock } = settled({ pollInterval: 1000 * SECOND });
  clock.time = A_DATE;
  board.advance(50 * SECOND);
  assert.equal(board.client.take(), [
    { topic: `${CURRENT}/patch`, body: { data: { last_update: '2026-01-02T03:04:05.000Z' } } },
  ]);
});

test('without a trusted clock a refresh lets the server stamp the document', () => {
  const { board } = settled({ pollInterval: 1000 * SECOND });
  board.advance(50 * SECOND);
  assert.equal(board.client.take(), [{ topic: `${CURRENT}/patch`, body: { data: {} } }]);
});

test('when the clock comes to be trusted last_update is reported at once', () => {
  const { board, twin, clock } = settled();
  clock.time = A_DATE;
  twin.refresh();
  assert.equal(board.client.take(), [
    { topic: `${CURRENT}/patch`, body: { data: { last_update: '2026-01-02T03:04:05.000Z' } } },
  ]);
});

test('a patch of a document that is gone is followed by the whole document', () => {
  const { board, panel } = settled();
  panel.set({ doorOpen: true });
  board.client.take();
  refuse(board, `${CURRENT}/patch`, 'document not found');
  assert.equal(board.client.take(), [
    { topic: `${CURRENT}/put`, body: { data: { ...IDLE, door_open: true } } },
  ]);
  refuse(board, `${CURRENT}/put`, 'document not found');
  assert.equal(board.client.take(), [], 'a put is not repeated at once');
});

for (const error of ['document version mismatch', 'storage unavailable', 'too many requests']) {
  test(`a report refused with ${error} is traced, and sent again after ever longer waits until it is taken`, () => {
    const { board, panel } = settled({ pollInterval: 1000 * SECOND, refreshInterval: 1000 * SECOND });
    panel.set({ doorOpen: true });
    board.client.take();
    refuse(board, `${CURRENT}/patch`, error);
    assert.equal(board.client.take(), []);
    assert.is(board.traced(error), 1);
    // Half of what the back-off allows: the board's chance is 0.5.
    for (const wait of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      board.advance(wait - 1);
      assert.equal(board.client.take(), []);
      board.advance(1);
      assert.equal(board.client.take(), [
        { topic: `${CURRENT}/put`, body: { data: { ...IDLE, door_open: true } } },
      ]);
      refuse(board, `${CURRENT}/put`, error);
    }
    board.advance(30 * SECOND);
    board.client.take();
    board.client.deliver(`${CURRENT}/put/response/success`, {});
    board.advance(300 * SECOND);
    assert.equal(board.client.take(), []);
    refuse(board, `${CURRENT}/patch`, error);
    board.advance(500);
    assert.is(board.client.take().length, 1, 'the next refusal begins with the shortest wait');
  });
}

for (const [push, length] of [
  ['changed', 10],
  ['changed', 5000],
  ['deleted', 10],
] as const) {
  test(`current ${push} by another writer, in ${length} bytes, is answered with the whole document, at most once a second`, () => {
    const { board } = settled();
    const whole = { topic: `${CURRENT}/put`, body: { data: IDLE } };
    board.client.deliver(`${CURRENT}/${push}`, { data: { alarm_armed: true } });
    board.advance(0);
    assert.equal(board.client.take(), [whole]);
    for (let times = 0; times < 50; times++)
      board.client.deliver(`${CURRENT}/${push}`, { data: { x: 'x'.repeat(length) } });
    board.advance(999);
    assert.equal(board.client.take(), []);
    board.advance(1);
    assert.equal(board.client.take(), [whole]);
    board.advance(SECOND);
    assert.equal(board.client.take(), []);
    board.client.deliver(`${CURRENT}/${push}`, {});
    board.advance(0);
    assert.equal(board.client.take(), [whole]);
  });
}

test('an answer to a report that succeeded is no news', () => {
  const { board } = settled();
  board.client.deliver(`${CURRENT}/put/response/success`, 'not even JSON');
  board.client.deliver(`${CURRENT}/patch/response/success`, {});
  assert.is(board.traced('twin:'), 0);
  assert.equal(board.client.take(), []);
});

test('a desired document older than the last one seen on the connection is ignored', () => {
  const { board, panel } = settled();
  push(board, true, 5);
  push(board, false, 4);
  answerDesired(board, false, 3);
  assert.equal(panel.orders.at(-1), true);
  assert.is(board.traced('ignored desired 4'), 1);
  assert.is(board.traced('ignored desired 3'), 1);
  push(board, false, 6);
  assert.equal(panel.orders.at(-1), false);
});

test('a new connection knows nothing of the versions of the one before', () => {
  const { board, panel } = settled();
  push(board, true, 5);
  board.client.end();
  board.advanceToConnection();
  board.client.accept();
  answerDesired(board, false, 2);
  assert.equal(panel.orders.at(-1), false);
});

test('a document that is known to be gone may begin with version 1 again', () => {
  const { board, panel } = settled();
  push(board, false, 5);
  refuse(board, GET.topic, 'document not found');
  push(board, true, 1);
  assert.equal(panel.orders.at(-1), true);
});

test('a document that was deleted and made anew between two questions is taken after two that tell of it', () => {
  const { board, panel } = settled();
  push(board, false, 5);
  push(board, true, 1);
  assert.equal(board.client.take(), [GET], 'the server is asked at once');
  answerDesired(board, true, 1);
  board.advance(30 * SECOND);
  answerDesired(board, true, 1);
  assert.equal(panel.orders.at(-1), false);
  board.advance(30 * SECOND);
  answerDesired(board, true, 1);
  assert.equal(panel.orders.at(-1), true);
});

test('one answer that is older than a push does not end the connection', () => {
  const { board, twin } = settled();
  for (let version = 2; version < 20; version++) {
    push(board, false, version);
    answerDesired(board, false, version - 1);
    answerDesired(board, false, version);
  }
  assert.ok(twin.online);
});

const [FIRST, SECOND_TIME] = ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z'];

test('a document that was made anew is obeyed at once where the server dates it, by a push or an answer', () => {
  for (const tell of [push, answerDesired]) {
    const { board, panel } = settled();
    push(board, true, 5, FIRST);
    tell(board, false, 1, SECOND_TIME);
    assert.equal(panel.orders.at(-1), false);
    tell(board, true, 2, SECOND_TIME);
    assert.equal(panel.orders.at(-1), true, 'its versions begin again');
  }
});

test('an answer about the document before, overtaken by the push of a new one, is not obeyed', () => {
  const { board, panel } = settled();
  push(board, true, 5, FIRST);
  push(board, false, 1, SECOND_TIME);
  answerDesired(board, true, 5, FIRST);
  assert.equal(panel.orders.at(-1), false);
  assert.not.match(JSON.stringify(board.client.take()), 'refused');
});

test('a document that is pushed is obeyed although the clock of the server was set back meanwhile', () => {
  const { board, panel } = settled();
  push(board, true, 5, SECOND_TIME);
  push(board, false, 1, FIRST);
  assert.equal(panel.orders.at(-1), false);
});

test('after the deletion of desired the panel stays as it is, and obeys version 1', () => {
  const { board, panel } = settled();
  push(board, true, 5);
  board.client.take();
  board.client.deliver(`${DESIRED}/deleted`, { twin_id: 'x', document_name: 'desired', version: 5 });
  assert.equal(board.client.take(), []);
  assert.ok(panel.state.armed);
  push(board, false, 1);
  assert.not.ok(panel.state.armed);
});

test('a server that counts no versions is obeyed', () => {
  const { board, panel } = settled();
  push(board, true);
  push(board, false);
  assert.equal(panel.orders, [false, true, false]);
});

test('the memory of an alarm is said when there is one, with the time at which it began', () => {
  const { board, panel } = settled();
  const lastAlarm = { contacts: ['door'], at: '2026-01-02T03:04:05.000Z' };
  panel.kept = { ...panel.kept, lastAlarm };
  panel.set({ sirenRinging: true });
  panel.kept = { wish: panel.kept.wish };
  panel.set({ sirenRinging: false });
  assert.equal(
    board.client.take().map(({ body }) => (body as { data: object }).data),
    [
      { siren_ringing: true, last_alarm: { contacts: ['door'], at: '2026-01-02T03:04:05.000Z' } },
      { siren_ringing: false, last_alarm: null },
    ],
  );
});

test('100,000 changes and answers leave no timer and no message behind', () => {
  const { board, panel } = settled();
  for (let time = 0; time < 100_000; time++) {
    board.client.makeRoom(10_000);
    panel.set({ doorOpen: time % 2 === 0 });
    board.client.take();
  }
  assert.is(board.timers.waiting.size, 3, 'the poll, the refresh and the watchdog');
});

test.run();
