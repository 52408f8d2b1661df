import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULTS, type PanelConfig } from '../../firmware/config.js';
import { Link, type LinkUser, type Outgoing } from '../../firmware/link.js';
import './xs-globals.js';
import { MemoryBoard } from './memory-board.js';

const SECOND = 1000;
const KEEP_ALIVE = 40 * SECOND;
const TOPIC = '$SCW/twins/me/desired/changed';

/** A user of the link that writes down what it hears, and says what the test puts in `waiting`. */
class Notes implements LinkUser {
  readonly events: string[] = [];
  waiting: string[] = [];

  connected(): void {
    this.events.push('connected');
  }

  disconnected(): void {
    this.events.push('disconnected');
  }

  received(topic: string, payload: ArrayBuffer): void {
    this.events.push(`${topic} ${new TextDecoder().decode(payload)}`);
  }

  next(): Outgoing | undefined {
    const word = this.waiting.shift();
    return word === undefined
      ? undefined
      : { topic: 'topic', payload: ArrayBuffer.fromString(JSON.stringify(word)) };
  }
}

/** A link that is opening its first connection. */
function connecting(settings: Partial<PanelConfig> = {}) {
  const board = new MemoryBoard({ keepAlive: KEEP_ALIVE, ...settings });
  const user = new Notes();
  const link = new Link(board, user);
  link.network(true);
  board.advanceToConnection();
  return { board, user, link };
}

function online(settings: Partial<PanelConfig> = {}) {
  const all = connecting(settings);
  all.board.client.accept();
  return all;
}

const saidTo = (board: MemoryBoard): unknown[] => board.client.published.map(({ body }) => body);

test('a link connects, subscribes to its own twin, and is online when that is confirmed', () => {
  const { board, user, link } = connecting();
  const { client } = board;
  assert.is(client.options.keepAlive, KEEP_ALIVE);
  client.acknowledge(0);
  assert.equal(client.subscribed, [], 'there is no room yet');
  client.makeRoom(500);
  assert.equal(client.subscribed, ['$SCW/twins/me/#']);
  assert.not.ok(link.online);
  client.confirm(0);
  assert.ok(link.online);
  assert.equal(user.events, ['connected']);
});

test('a link subscribes when there is room before the server has accepted it', () => {
  const { board, link } = connecting();
  board.client.makeRoom(500);
  assert.equal(board.client.subscribed, []);
  board.client.acknowledge(0);
  board.client.confirm(0);
  assert.ok(link.online);
});

test('without a network nothing is tried, and with one it is', () => {
  const board = new MemoryBoard();
  const link = new Link(board, new Notes());
  link.network(false);
  board.advance(100 * SECOND);
  assert.is(board.clients.length, 0);
  link.network(true);
  board.advance(SECOND);
  assert.is(board.clients.length, 1);
});

test('the loss of the network ends the connection at once, and its return begins a new one', () => {
  const { board, user, link } = online();
  link.network(false);
  assert.not.ok(link.online);
  assert.equal(user.events, ['connected', 'disconnected']);
  board.advance(100 * SECOND);
  assert.is(board.client.closes, 1);
  assert.is(board.clients.length, 1);
  link.network(true);
  board.advance(SECOND);
  assert.is(board.clients.length, 2);
});

/** A link that has failed so often that it waits up to a minute. */
function afterManyFailures() {
  const all = connecting();
  for (let attempt = 0; attempt < 10; attempt++) {
    all.board.client.fail();
    all.board.advanceToConnection();
  }
  return all;
}

test('attempts wait ever longer, up to a minute, and there is no last one', () => {
  const { board } = connecting();
  const waits = Array.from({ length: 200 }, () => {
    board.client.fail();
    return board.advanceToConnection();
  });
  assert.equal(waits.slice(0, 6), [1000, 2000, 4000, 8000, 16_000, 30_000]);
  assert.ok(waits.slice(5).every((wait) => wait === 30_000));
});

for (const [name, randomNumber, wait] of [
  ['none of it', 0, 0],
  ['nearly all of it', 0.999_999, 59_999],
] as const) {
  test(`the jitter is full: a wait of up to a minute may be ${name}`, () => {
    const { board } = afterManyFailures();
    board.randomNumber = randomNumber;
    board.client.fail();
    assert.is(board.advanceToConnection(), wait);
  });
}

test('a connection that lasted makes the next attempts sooner again', () => {
  const { board } = afterManyFailures();
  board.client.accept();
  for (let time = 0; time < 6; time++) {
    board.advance(10 * SECOND);
    board.client.pong();
  }
  board.client.end();
  assert.is(board.advanceToConnection(), DEFAULTS.backOffLost / 2);
});

test('a network that was lost and is back is no reason to wait long', () => {
  const { board, link } = online();
  link.network(false);
  link.network(true);
  assert.is(board.advanceToConnection(), 500);
});

test('a connection that is lost as soon as it stands does not make the next attempts soon', () => {
  const { board } = afterManyFailures();
  board.client.accept();
  board.client.end();
  assert.is(board.advanceToConnection(), 30_000);
});

test('a device that the server refuses tries ever more seldom, up to every ten minutes, until it is accepted', () => {
  const { board } = connecting();
  const waitsAfter = (returnCode: number, times: number): number[] =>
    Array.from({ length: times }, () => {
      board.client.acknowledge(returnCode);
      return board.advanceToConnection();
    });
  assert.equal(waitsAfter(5, 6), [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  assert.equal(waitsAfter(4, 2), [300_000, 300_000]);
  assert.equal(waitsAfter(3, 3), [1000, 2000, 4000], 'a server that is not available is asked sooner');
  board.client.accept();
  board.client.end();
  board.advanceToConnection();
  assert.equal(waitsAfter(5, 1), [30_000]);
});

test('a refusal is reported as such and not as a network fault, and tried again all the same', () => {
  const { board, link } = connecting();
  board.client.acknowledge(4);
  assert.is(board.traced('the server refuses this device, CONNACK 4'), 1);
  assert.is(board.traced('network fault'), 0);
  assert.not.ok(link.online);
  board.advanceToConnection();
  board.client.fail();
  assert.is(board.traced('network fault: no reason given'), 1);
  assert.is(board.traced('refuses'), 1);
});

test('a refused subscription ends the connection', () => {
  const { board, link } = connecting();
  board.client.acknowledge(0);
  board.client.makeRoom(500);
  board.client.confirm(0x80);
  assert.not.ok(link.online);
  assert.is(board.traced('refuses the subscription'), 1);
  board.advance(2 * SECOND);
  assert.is(board.clients.length, 2);
});

for (const [name, server] of [
  ['never answers', () => {}],
  [
    'takes the connection and never confirms the subscription',
    (board: MemoryBoard) => board.client.acknowledge(0),
  ],
] as const) {
  test(`a server that ${name} is given up after the connection timeout`, () => {
    const { board } = connecting({ connectTimeout: 20 * SECOND });
    server(board);
    board.advance(20 * SECOND - 1);
    assert.is(board.traced('no answer in time'), 0);
    board.advance(1);
    assert.is(board.traced('no answer in time'), 1);
    board.advance(2 * SECOND);
    assert.is(board.clients[0]?.closes, 1);
    assert.is(board.clients.length, 2);
  });
}

test('a board that cannot even begin a connection is asked again', () => {
  const { board, link } = connecting();
  board.mqttError = new Error('no memory');
  board.client.fail();
  board.advance(60 * SECOND);
  assert.ok(board.traced('cannot connect: Error: no memory') > 1);
  board.mqttError = undefined;
  board.advanceToConnection();
  board.client.accept();
  assert.ok(link.online);
});

test('after half the keep-alive in silence the server is asked for a sign of life', () => {
  const { board, link } = online();
  for (let time = 0; time < 20; time++) {
    board.advance(KEEP_ALIVE / 2);
    board.client.pong();
  }
  assert.is(board.client.pings, 20);
  assert.ok(link.online);
});

test('the server hears from the panel in time even while it is the only one to speak', () => {
  const { board, link } = online();
  for (let second = 0; second < 10 * 40; second++) {
    board.advance(SECOND);
    board.client.deliver(TOPIC, {});
  }
  assert.ok(link.online);
  assert.is(board.client.pings, 10 * 2);
});

for (const heardAt of [0, 1, 4999, 5000, 9999]) {
  test(`a server silent from ${heardAt} ms on is given up within 1.5 times the keep-alive`, () => {
    const { board, link } = online();
    board.advance(heardAt);
    board.client.pong();
    board.advance(1.25 * KEEP_ALIVE - 1);
    assert.ok(link.online);
    board.advance(0.25 * KEEP_ALIVE);
    assert.not.ok(link.online);
    assert.is(board.traced('the server is silent'), 1);
  });
}

test('the keep-alive cannot be turned off', () => {
  const { board, link } = online({ keepAlive: 0 });
  assert.is(board.client.options.keepAlive, SECOND);
  board.advance(1.5 * SECOND);
  assert.not.ok(link.online);
});

test('what there is to say is said as far as there is room, and the rest when there is more', () => {
  const { board, user, link } = online();
  board.client.makeRoom(40);
  user.waiting = ['one', 'two', 'three', 'four'];
  link.flush();
  assert.equal(saidTo(board), ['one', 'two']);
  board.client.makeRoom(5);
  assert.equal(saidTo(board), ['one', 'two']);
  board.client.makeRoom(1000);
  assert.equal(saidTo(board), ['one', 'two', 'three', 'four']);
});

test('nothing is fetched before the link is online', () => {
  const { board, user, link } = connecting();
  user.waiting = ['one'];
  link.flush();
  board.client.acknowledge(0);
  board.client.makeRoom(500);
  assert.equal(user.waiting, ['one']);
  board.client.confirm(0);
  assert.equal(saidTo(board), ['one']);
});

test('what waited for room is not carried into the next connection', () => {
  const { board, user, link } = online();
  board.client.makeRoom(0);
  user.waiting = ['old'];
  link.flush();
  board.client.end();
  board.advanceToConnection();
  user.waiting = ['new'];
  board.client.accept();
  assert.equal(saidTo(board), ['new']);
});

test('a client that takes less than it said loses nothing', () => {
  const { board, user, link } = online();
  board.client.writeError = new Error('overflow');
  user.waiting = ['one'];
  link.flush();
  assert.equal(saidTo(board), []);
  board.client.writeError = undefined;
  board.client.makeRoom(1000);
  assert.equal(saidTo(board), ['one']);
});

for (const partLength of [1, 2, 7, 1000]) {
  test(`a message in parts of ${partLength} bytes arrives whole`, () => {
    const { board, user } = online();
    board.client.deliver(TOPIC, { text: 'äöü€𝄞' }, partLength);
    board.client.deliver(TOPIC, 'next', partLength);
    assert.equal(user.events, ['connected', `${TOPIC} {"text":"äöü€𝄞"}`, `${TOPIC} next`]);
  });

  test(`a message over 4 KiB in parts of ${partLength} bytes arrives cut and still too long, the next one whole`, () => {
    const { board, user } = online();
    board.client.deliver(TOPIC, 'x'.repeat(64 * 1024), partLength);
    board.client.deliver(TOPIC, 'y'.repeat(4096), partLength);
    const [, long = '', next] = user.events;
    assert.match(long, new RegExp(`^${TOPIC.replaceAll('$', '\\$')} x+$`));
    assert.ok(long.length > TOPIC.length + 1 + 4096);
    assert.ok(long.length <= TOPIC.length + 1 + 4096 + partLength);
    assert.is(next, `${TOPIC} ${'y'.repeat(4096)}`);
  });
}

test('half a message of a lost connection does not taint the next one', () => {
  const { board, user } = online();
  const { client } = board;
  client.options.onReadable(0, { topic: TOPIC, more: true });
  client.end();
  board.advanceToConnection();
  board.client.accept();
  board.client.options.onReadable(0, { more: false });
  board.client.deliver(TOPIC, 'whole');
  assert.equal(user.events.slice(-1), [`${TOPIC} whole`]);
  assert.is(user.events.length, 4);
});

test('a connection is never closed within one of its own callbacks', () => {
  const { board } = connecting();
  board.client.acknowledge(5);
  assert.is(board.client.closes, 0);
  board.advance(0);
  assert.is(board.client.closes, 1);
});

test('what is still heard of an earlier connection does not count', () => {
  const { board, user, link } = online();
  const earlier = board.client;
  earlier.fail();
  earlier.end();
  earlier.fail();
  board.advanceToConnection();
  assert.is(board.clients.length, 2, 'it is lost once');
  earlier.accept();
  earlier.deliver(TOPIC, 'late');
  assert.not.ok(link.online);
  board.client.accept();
  earlier.end();
  assert.ok(link.online);
  assert.equal(user.events, ['connected', 'disconnected', 'connected']);
});

test('thousands of lost connections leave no timer behind', () => {
  const { board } = connecting();
  for (let time = 0; time < 2000; time++) {
    board.client.accept();
    board.client.end();
    board.advanceToConnection();
  }
  assert.is(board.timers.waiting.size, 1, 'the timeout of the present attempt');
});

test.run();
