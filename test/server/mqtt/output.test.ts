import { Duplex } from 'node:stream';
import fc from 'fast-check';
import type { Packet } from 'mqtt-packet';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  acknowledgement,
  Backlog,
  connack,
  Output,
  PINGRESP,
  publish,
  suback,
  topicField,
  unsuback,
} from '../../../server/mqtt/output.js';
import { until } from '../../until.js';
import { bytesOf } from './raw-client.js';

function sameAs(bytes: Buffer, packet: Packet): void {
  assert.equal(bytes.toString('hex'), bytesOf(packet).toString('hex'));
}

test('a PUBLISH is written as mqtt-packet writes it, for every size of the length field', () => {
  const size = fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(127, 128, 16_383, 16_384, 140_000, 2_100_000));
  const qos = fc.constantFrom(0, 1, 2) as fc.Arbitrary<0 | 1 | 2>;
  fc.assert(
    fc.property(
      size,
      qos,
      fc.integer({ min: 1, max: 0xffff }),
      fc.constantFrom('a', 'ü', '\u{1f6a8}'),
      (length, level, id, unit) => {
        const topic = `$SCW/twins/me/${unit}/get/response/success`;
        const payload = unit.repeat(length);
        sameAs(publish(topicField(topic), payload, level, id), {
          cmd: 'publish',
          topic,
          payload,
          qos: level,
          dup: false,
          retain: false,
          messageId: id,
        });
      },
    ),
    { numRuns: 60 },
  );
});

test('the other packets are written as mqtt-packet writes them', () => {
  for (const returnCode of [0, 1, 2, 3, 4, 5] as const) {
    sameAs(connack(returnCode), { cmd: 'connack', returnCode, sessionPresent: false });
  }
  for (const id of [1, 255, 256, 0xffff]) {
    for (const cmd of ['puback', 'pubrec', 'pubrel', 'pubcomp'] as const) {
      sameAs(acknowledgement(cmd, id), { cmd, messageId: id });
    }
    sameAs(unsuback(id), { cmd: 'unsuback', messageId: id, granted: [] });
    for (const granted of [[0], [1, 2, 0x80], new Array<number>(200).fill(0)]) {
      sameAs(suback(id, granted), { cmd: 'suback', messageId: id, granted });
    }
  }
  sameAs(PINGRESP, { cmd: 'pingresp' });
});

const KIB = 1024;

/** A client that takes a write when the test says so. */
class SlowClient extends Duplex {
  #done: (() => void) | undefined;
  takenBytes = 0;
  mostBytes = 0;

  override _read(): void {
    // It sends nothing.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.mostBytes = Math.max(this.mostBytes, chunk.length);
    this.#done = () => {
      this.takenBytes += chunk.length;
      done();
    };
  }

  get isWriting(): boolean {
    return this.#done !== undefined;
  }

  async takeWrite(): Promise<void> {
    await until(() => this.isWriting);
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }
}

interface Told {
  relieved: number;
  stuck: number;
}

function outputTo(
  stream: Duplex,
  limits: { bufferBytes?: number; progressBytes?: number; progressMs?: number },
) {
  const told: Told = { relieved: 0, stuck: 0 };
  const output = new Output(
    stream,
    { bufferBytes: KIB * KIB, progressBytes: 30 * KIB, progressMs: 1e6, ...limits },
    { relieved: () => told.relieved++, stuck: () => told.stuck++ },
  );
  return { output, told };
}

const nextTurn = () => new Promise(setImmediate);

test('a client that is slow gets everything in its order, in pieces of at most 16 KiB', async () => {
  const client = new SlowClient();
  const { output, told } = outputTo(client, { bufferBytes: 100 * KIB });
  const sizes = [1, 40 * KIB, 16 * KIB, 3, 3, 60 * KIB, 7];
  const total = sizes.reduce((sum, size) => sum + size);
  for (const size of sizes) output.add(Buffer.alloc(size));
  assert.is(output.isFull, true);
  while (client.takenBytes < total) await client.takeWrite();
  await nextTurn();
  assert.equal([client.mostBytes, output.isFull, told.relieved], [16 * KIB, false, 1]);
  output.close();
});

test('a client that takes too little in the time is stuck, however few answers wait', async () => {
  const client = new SlowClient();
  const { output, told } = outputTo(client, { progressMs: 20 });
  output.add(Buffer.alloc(40 * KIB));
  await client.takeWrite();
  await until(() => told.stuck > 0);
  assert.is(client.takenBytes, 16 * KIB);
  output.close();
});

test('a client that is slow and takes enough in each such time is not stuck, however long it takes', async () => {
  const client = new SlowClient();
  const { output, told } = outputTo(client, { progressMs: 200, progressBytes: 16 * KIB });
  const total = 100 * 16 * KIB;
  output.add(Buffer.alloc(total));
  while (client.takenBytes < total) {
    await client.takeWrite();
    await new Promise((resolve) => setTimeout(resolve, 6));
  }
  assert.is(told.stuck, 0);
  output.close();
});

test('a client that has read everything may be quiet', async () => {
  const client = new SlowClient();
  const { output, told } = outputTo(client, { progressMs: 20 });
  output.add(Buffer.alloc(1));
  await client.takeWrite();
  const other = outputTo(new SlowClient(), { progressMs: 20 });
  other.output.add(Buffer.alloc(1));
  await until(() => other.told.stuck > 0);
  assert.is(told.stuck, 0);
  for (const each of [output, other.output]) each.close();
});

/** A connection that waits for room, and how often it was called. */
class Waiting {
  told = 0;
  relieved(): void {
    this.told++;
  }
}

const BACKLOG = { deviceBufferBytes: 100, deviceInFlight: 3 };

test('the requests of a device are limited in number, and those that were answered no longer count', () => {
  const backlog = new Backlog(BACKLOG);
  assert.equal(
    [1, 2, 3, 4].map(() => backlog.begin(0)),
    [true, true, true, false],
  );
  backlog.end(0);
  assert.equal([backlog.begin(0), backlog.begin(0)], [true, false]);
});

test('connections of a device wait while its answers, and the room for those under way, are too many bytes', () => {
  const backlog = new Backlog(BACKLOG);
  const [first, second] = [new Waiting(), new Waiting()];
  backlog.begin(60);
  backlog.change(40);
  assert.is(backlog.isFull, true);
  for (const each of [first, second]) backlog.wait(each);
  first.relieved = () => {
    first.told++;
    backlog.change(50);
  };
  backlog.change(-10);
  assert.equal([first.told, second.told, backlog.isFull], [1, 0, true]);
  backlog.end(60);
  assert.equal([first.told, second.told, backlog.isFull], [1, 1, false]);
});

test('a connection that has left a backlog is not told, and its unread answers no longer count', async () => {
  const backlog = new Backlog(BACKLOG);
  const client = new SlowClient();
  const { output } = outputTo(client, {});
  const waiting = new Waiting();
  output.countIn(backlog);
  output.add(Buffer.alloc(150));
  await nextTurn();
  assert.is(backlog.isFull, true);
  backlog.wait(waiting);
  backlog.leave(waiting);
  output.close();
  assert.is(backlog.isFull, true);
  output.forget();
  assert.equal([backlog.isFull, waiting.told], [false, 0]);
});

test('what a client reads no longer counts for its device', async () => {
  const backlog = new Backlog(BACKLOG);
  const client = new SlowClient();
  const { output } = outputTo(client, {});
  output.countIn(backlog);
  output.add(Buffer.alloc(40 * KIB));
  await nextTurn();
  assert.is(backlog.isFull, true);
  for (let piece = 0; piece < 3; piece++) await client.takeWrite();
  await nextTurn();
  assert.is(backlog.isFull, false);
  output.close();
});

test.run();
