import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memoryStorage } from '../../../server/storage/memory.js';
import type { Document, Precondition } from '../../../server/twins/document.js';
import {
  DocumentNotFound,
  InvalidName,
  PreconditionFailed,
  VersionMismatch,
} from '../../../server/twins/errors.js';
import { type Answer, Twins } from '../../../server/twins/twins.js';

const ID = '0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';

const only =
  (wanted: number): Precondition =>
  (present) =>
    (present?.version ?? 0) === wanted ? undefined : `version ${wanted}`;

/** What a call came to: the version, `done`, or the error. */
type Outcome = number | 'done' | Error;

const outcome = <T>(call: (answer: Answer<T>) => void): Promise<Outcome> =>
  new Promise((done) =>
    call((error, value) => done(error ?? (value === undefined ? 'done' : (value as Document).version))),
  );

const write = (twins: Twins, how: 'put' | 'patch', precondition: Precondition, version = 0, name = 'd') =>
  outcome<Document>((answer) => twins[how](ID, name, { version, data: {}, precondition }, answer));
const remove = (twins: Twins, precondition: Precondition, name = 'd') =>
  outcome<void>((answer) => twins.delete(ID, name, answer, undefined, precondition));

test('a precondition sees the writes that are under way', async () => {
  const twins = new Twins(memoryStorage());
  const outcomes = await Promise.all([
    write(twins, 'put', only(0)),
    write(twins, 'put', only(0)),
    write(twins, 'patch', only(1)),
    write(twins, 'patch', only(1)),
    remove(twins, only(1)),
    remove(twins, only(2)),
    write(twins, 'put', only(0)),
  ]);
  const told = outcomes.map((each) => (each instanceof PreconditionFailed ? `not ${each.actual}` : each));
  assert.equal(told, [1, 'not 1', 2, 'not 2', 'not 2', 'done', 1]);
});

test('after a write that failed the next precondition sees the version before it', async () => {
  const storage = memoryStorage();
  const twins = new Twins(storage);
  storage.failWith(new Error('disk full'));
  await write(twins, 'put', only(0));
  storage.failWith(undefined);
  assert.is(await write(twins, 'put', only(0)), 1);
});

test('a precondition is checked before the version and after the name', async () => {
  const twins = new Twins(memoryStorage());
  assert.instance(await write(twins, 'put', only(1), 7), PreconditionFailed);
  assert.instance(await write(twins, 'put', only(0), 7), VersionMismatch);
  assert.instance(await write(twins, 'put', only(1), 0, '.'), InvalidName);
  assert.instance(await remove(twins, only(1), 'none'), DocumentNotFound);
});

test('the error says which condition did not hold, and the present version', async () => {
  const twins = new Twins(memoryStorage());
  const absent = (await write(twins, 'put', only(3))) as PreconditionFailed;
  assert.equal([absent.precondition, absent.actual], ['version 3', 0]);
  assert.is(absent.message, 'there is no such document');
  await write(twins, 'put', only(0));
  const present = (await write(twins, 'put', only(3))) as PreconditionFailed;
  assert.is(present.message, 'the document has version 1');
});

test.run();
