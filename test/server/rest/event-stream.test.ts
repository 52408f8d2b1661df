import { Writable } from 'node:stream';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EventStream } from '../../../server/rest/event-stream.js';
import { KnownState, type TwinEvent } from '../../../server/rest/known-state.js';
import { Document } from '../../../server/twins/document.js';
import { until } from '../../until.js';

const TWIN = '0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';
const SETTINGS = { eventsBufferBytes: 10_000, eventsHeartbeatMs: 1_000_000 };

/** A reader that takes one piece at a time, when the test says so. */
class Reader extends Writable {
  text = '';
  #taken: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 1, decodeStrings: false });
  }

  override _write(text: string, _: unknown, taken: () => void): void {
    this.text += text;
    this.#taken = taken;
  }

  read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }
}

const change = (version: number, bytes = 10): TwinEvent => ({
  event: 'document',
  document: new Document(
    TWIN,
    'd',
    version,
    '2026-03-01T00:00:00.000Z',
    JSON.stringify({ x: 'x'.repeat(bytes) }),
    { createdAt: '2026-03-01T00:00:00.000Z', tag: 'b' },
  ),
});
const versionsIn = (text: string): number[] =>
  [...text.matchAll(/"version":(\d+)/g)].map(([, version]) => Number(version));

test('an event is its kind, its id and one line of data', () => {
  const reader = new Reader();
  const stream = new EventStream(TWIN, new KnownState(), SETTINGS);
  stream.begin(reader, [{ event: 'presence', state: { isConnected: false, at: null } }]);
  assert.is(
    reader.text,
    `event: presence\nid: -\ndata: {"device_id":"${TWIN}","is_connected":false,"at":null}\n\n`,
  );
  stream.close();
});

test('what a slow reader has no room for waits, and comes in order', async () => {
  const reader = new Reader();
  const stream = new EventStream(TWIN, new KnownState(), SETTINGS);
  stream.begin(reader, [change(1), change(2), change(3)]);
  stream.tell(change(4));
  stream.tell(change(5));
  assert.equal(versionsIn(reader.text), [1]);
  await until(() => {
    reader.read();
    return versionsIn(reader.text).length === 5;
  });
  assert.equal(versionsIn(reader.text), [1, 2, 3, 4, 5]);
  stream.close();
});

test('a change from before the beginning is not told: the state has it', () => {
  const reader = new Reader();
  const stream = new EventStream(TWIN, new KnownState(), SETTINGS);
  stream.tell(change(1));
  stream.begin(reader, []);
  assert.is(reader.text, '');
  stream.close();
});

test('a reader that does not read is dropped when too many changes wait for it', () => {
  const reader = new Reader();
  const stream = new EventStream(TWIN, new KnownState(), SETTINGS);
  stream.begin(reader, [change(1)]);
  for (let version = 2; version <= 10; version += 1) stream.tell(change(version, 700));
  assert.not(reader.destroyed);
  stream.tell(change(11, 2000));
  assert.ok(reader.destroyed);
  assert.ok(stream.ended);
  stream.tell(change(12));
  assert.equal(versionsIn(reader.text), [1]);
});

test('a state larger than the buffer reaches a slow reader', async () => {
  const reader = new Reader();
  const stream = new EventStream(TWIN, new KnownState(), SETTINGS);
  const state = Array.from({ length: 20 }, (_, n) => change(n + 1, 10_000));
  stream.begin(reader, state);
  stream.tell(change(21));
  await until(() => {
    reader.read();
    return versionsIn(reader.text).length === 21;
  });
  assert.not(stream.ended);
  stream.close();
});

test('a comment is sent again and again, until the stream ends', async () => {
  const reader = new Reader();
  const stream = new EventStream(TWIN, new KnownState(), { ...SETTINGS, eventsHeartbeatMs: 1 });
  stream.begin(reader, []);
  await until(() => {
    reader.read();
    return reader.text.length >= 9;
  });
  assert.is(reader.text.slice(0, 9), ':\n\n:\n\n:\n\n');
  stream.close();
});

test('a reader that has read nothing from one heartbeat to the next is dropped', async () => {
  const reader = new Reader();
  const stream = new EventStream(TWIN, new KnownState(), { ...SETTINGS, eventsHeartbeatMs: 1 });
  stream.begin(reader, [change(1)]);
  await until(() => reader.destroyed);
  assert.not.match(reader.text, /^:/m);
});

test('a stream that ends lets a reader finish that has kept up, and cuts off one that has not', () => {
  const [good, slow] = [new Reader(), new Reader()];
  for (const [reader, state] of [
    [good, []],
    [slow, [change(1), change(2)]],
  ] as const) {
    const stream = new EventStream(TWIN, new KnownState(), SETTINGS);
    stream.begin(reader, state);
    stream.end();
    assert.ok(stream.ended);
  }
  assert.ok(good.writableEnded);
  assert.not(good.destroyed);
  assert.ok(slow.destroyed);
});

test.run();
