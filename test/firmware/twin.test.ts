import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { A_DATE } from './memory-board.js';
import {
  answerDesired,
  CURRENT,
  connecting,
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

for (const error of ['document version mismatch', 'storage unavailable']) {
  test(`a report refused with ${error} is traced, and made up for at the next poll and no sooner`, () => {
    const { board, panel } = settled();
    panel.set({ doorOpen: true });
    board.client.take();
    refuse(board, `${CURRENT}/patch`, error);
    assert.equal(board.client.take(), []);
    assert.is(board.traced(error), 1);
    board.advance(30 * SECOND);
    assert.equal(board.client.take(), [
      GET,
      { topic: `${CURRENT}/put`, body: { data: { ...IDLE, door_open: true } } },
    ]);
    board.advance(10 * SECOND);
    assert.equal(board.client.take(), []);
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
  assert.is(board.traced('ignored desired 4 after 5'), 1);
  assert.is(board.traced('ignored desired 3 after 5'), 1);
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

test('a document that was deleted and made anew between two questions is taken on a new connection', () => {
  const { board, panel } = settled();
  push(board, false, 5);
  push(board, true, 1);
  assert.equal(board.client.take(), [GET], 'the server is asked at once');
  answerDesired(board, true, 1);
  board.advance(30 * SECOND);
  assert.is(board.clients.length, 1);
  answerDesired(board, true, 1);
  board.advanceToConnection();
  board.client.accept();
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

test('a server that counts no versions is obeyed', () => {
  const { board, panel } = settled();
  push(board, true);
  push(board, false);
  assert.equal(panel.orders, [false, true, false]);
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
