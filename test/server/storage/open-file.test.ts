/** How files share the memory for changes that are not on disk. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { begin, succeed, type Task } from '../../../server/storage/calls.js';
import { OpenFile, Past, Room } from '../../../server/storage/open-file.js';
import { StorageUnavailable } from '../../../server/storage/storage.js';
import { stored } from './contract.js';

const test = suite('room for changes');

const KIB = 1024;
const BUDGET = { changes: 100 * KIB, documents: 100 * KIB };
let seq = 0;

const twin = (name: string): OpenFile => new OpenFile(name, 0, [], new Past(1000, 1e9));

/** Changes that take about so many bytes while they are under way, and half of it as past versions. */
function change(room: Room, file: OpenFile, bytes: number, text = 'x'): Task {
  seq += 1;
  const document = stored(seq, JSON.stringify({ text: text.repeat(bytes / 2) }));
  const task = begin(file, { seq, key: 'current', document }, () => undefined);
  room.count(file);
  return task;
}

function settle(room: Room, ...tasks: Task[]): void {
  succeed(tasks);
  for (const { file } of tasks) room.count(file);
  room.relieve();
}

const admitted = (waiting: Promise<unknown>): Promise<boolean> =>
  Promise.race([waiting.then(() => true), new Promise<boolean>((no) => setImmediate(no, false))]);

test('a file whose changes take a quarter of the rest has no room, and the others have', () => {
  const room = new Room(BUDGET);
  const [greedy, modest] = [twin('greedy'), twin('modest')];
  change(room, greedy, 10 * KIB);
  assert.ok(room.has(greedy));
  change(room, greedy, 14 * KIB);
  assert.not(room.has(greedy));
  assert.ok(room.has(modest));
});

test('when ten files are greedy, there is room for one without changes', () => {
  const room = new Room(BUDGET);
  const greedy = Array.from({ length: 10 }, (_, index) => twin(`${index}`));
  for (const file of greedy) while (room.has(file)) change(room, file, 200);
  assert.ok(room.isShort);
  assert.ok(room.has(twin('modest')));
});

test('a change takes memory until it is on stable storage, and its version until it is in the history', () => {
  const room = new Room(BUDGET);
  const file = twin('a');
  const tasks = Array.from({ length: 3 }, () => change(room, file, 16 * KIB));
  assert.not(room.has(file));
  settle(room, ...tasks);
  assert.not(room.has(file));
  const toSave = file.past?.toSave();
  if (toSave !== undefined) file.past?.saved(toSave);
  room.count(file);
  assert.is(file.changesBytes, 0);
  assert.ok(room.has(file));
});

test('a removed document takes no memory', () => {
  const room = new Room(BUDGET);
  for (const key of ['current', undefined]) {
    const file = twin('a');
    settle(room, change(room, file, 16 * KIB));
    assert.ok(file.changesBytes > 8 * KIB);
    seq += 1;
    settle(
      room,
      begin(file, { seq, key, document: undefined }, () => undefined),
    );
    assert.is(file.changesBytes, 0);
  }
});

test('a text beyond ASCII counts two bytes for each unit', () => {
  const [plain, other] = [twin('plain'), twin('other')];
  const room = new Room(BUDGET);
  change(room, plain, 8 * KIB);
  change(room, other, 8 * KIB, '€');
  assert.ok(other.changesBytes > 1.9 * plain.changesBytes);
});

test('documents that must stay in memory take of the room only what exceeds their own', () => {
  const room = new Room({ changes: 100 * KIB, documents: 10 * KIB });
  const file = new OpenFile('a', 1, [['x', stored(1, JSON.stringify({ text: 'x'.repeat(50 * KIB) }))]]);
  const other = twin('other');
  room.pin(file);
  room.pin(file);
  assert.is(room.documents, file.bytes);
  change(room, other, 4 * KIB);
  assert.not(room.has(other));
  room.unpin(file);
  assert.is(room.documents, 0);
  assert.ok(room.has(other));
});

test("one of the server's own files has room when nothing is left", () => {
  const room = new Room({ changes: 100, documents: 0 });
  change(room, twin('greedy'), 10 * KIB);
  const tokens = new OpenFile('tokens');
  change(room, tokens, 10 * KIB);
  assert.ok(room.has(tokens));
  assert.not(room.has(twin('modest')));
});

test('a file that waits is admitted when it has room, and no earlier', async () => {
  const room = new Room(BUDGET);
  const [file, other] = [twin('a'), twin('b')];
  const task = change(room, file, 60 * KIB);
  const another = change(room, other, 60 * KIB);
  const waiting = room.wait(file);
  settle(room, another);
  assert.not(await admitted(waiting));
  settle(room, task);
  assert.not(await admitted(waiting));
  const toSave = file.past?.toSave();
  if (toSave !== undefined) file.past?.saved(toSave);
  room.count(file);
  room.relieve();
  assert.ok(await admitted(waiting));
});

test('those that wait are refused when the disk takes nothing', async () => {
  const room = new Room(BUDGET);
  const file = twin('a');
  change(room, file, 60 * KIB);
  const waiting = room.wait(file);
  room.refuse(new Error('no space left'));
  try {
    await waiting;
    assert.unreachable('it was admitted');
  } catch (error) {
    assert.instance(error, StorageUnavailable);
  }
});

test.run();
