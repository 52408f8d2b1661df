/** The checker is quiet when a storage is right, and speaks when it lies. */

import { suite, test } from 'uvu';
import * as assert from 'uvu/assert';
import { changeFile, type Documents, readDocuments, type Storage } from '../../server/storage/storage.js';
import { type Context, withPostgres } from '../server/storage/postgres/open.js';
import { contradictions, type Kept, type Operation } from './checker.js';

const DOCUMENT = 'd';

const write = (mark: string, began: number, ended: number, version?: number): Operation => ({
  ...{ kind: 'write', document: DOCUMENT, began, ended, version, mark },
});
const read = (began: number, ended: number, version: number, mark?: string): Operation => ({
  ...{ kind: 'read', document: DOCUMENT, began, ended, version, mark },
});
const kept = (...marks: string[]): Kept[] =>
  marks.map((mark, index) => ({ document: DOCUMENT, version: index + 1, mark }));

test('writes that overlap may come in either order', () => {
  const operations = [write('a', 0, 10, 2), write('b', 5, 15, 1), read(6, 9, 1, 'b'), read(20, 21, 2, 'a')];
  assert.equal(contradictions(operations, kept('b', 'a')), []);
});

test('a write of unknown outcome may have happened or not, also after its client gave up', () => {
  assert.equal(contradictions([write('a', 0, 10), read(20, 21, 0)], []), []);
  assert.equal(contradictions([write('a', 0, 10), read(20, 21, 0), read(30, 31, 1, 'a')], kept('a')), []);
});

const WRONG: [string, Operation[], Kept[], string][] = [
  [
    'a version that two writers have',
    [write('a', 0, 10, 1), write('b', 0, 10, 1)],
    kept('a'),
    'd: version 1 was acknowledged to two writers',
  ],
  [
    'a version that reads as two writes',
    [write('a', 0, 10), write('b', 0, 10), read(0, 9, 1, 'a'), read(0, 9, 1, 'b')],
    kept('a'),
    'd: version 1 is two different writes',
  ],
  [
    'a write of unknown outcome that happened twice',
    [write('a', 0, 10)],
    kept('a', 'a'),
    'd: write a happened twice',
  ],
  [
    'an acknowledged write that is lost',
    [write('a', 0, 10, 1)],
    [],
    'd: write a was acknowledged as version 1 and is lost',
  ],
  [
    'a stale read after an acknowledgement',
    [write('a', 0, 10, 1), read(11, 12, 0)],
    kept('a'),
    'd: a read gave version 0 after version 1 was known',
  ],
  [
    'a stale read after another read, though the write is not acknowledged yet',
    [write('a', 0, 50, 1), read(11, 12, 1, 'a'), read(13, 14, 0)],
    kept('a'),
    'd: a read gave version 0 after version 1 was known',
  ],
  [
    'a write that stands before one that had ended',
    [write('a', 0, 10, 2), write('b', 11, 20, 1)],
    kept('b', 'a'),
    'd: a write gave version 1 after version 2 was known',
  ],
  [
    'a write that gives what was read before it began',
    [write('a', 11, 20, 1), read(5, 8, 1, 'a')],
    kept('a'),
    'd: a write gave version 1, which was known before',
  ],
  [
    'a mark that no client wrote',
    [read(0, 1, 1, 'x')],
    kept('x'),
    'd: write x was seen before a client wrote it',
  ],
];

for (const [name, operations, found, sentence] of WRONG) {
  test(`it finds ${name}`, () => {
    assert.ok(
      contradictions(operations, found).includes(sentence),
      contradictions(operations, found).join('\n'),
    );
  });
}

test('it is quiet on a thousand random histories of one counter', () => {
  for (let round = 0; round < 1000; round += 1) {
    const { operations, found } = randomHistory();
    assert.equal(contradictions(operations, found), []);
  }
});

/** Each operation takes effect at a random moment between its beginning and its end, on one counter. */
function randomHistory(): { operations: Operation[]; found: Kept[] } {
  const marks: string[] = [];
  const moments = Array.from({ length: 30 }, (_, index) => {
    const at = Math.random() * 100;
    const began = at - Math.random() * 20;
    return { mark: `w${index}`, at, began, ended: at + Math.random() * 20, kind: Math.random() };
  }).sort((a, b) => a.at - b.at);
  const operations = moments.map(({ kind, mark, began, ended }) => {
    if (kind < 0.5) return read(began, ended, marks.length, marks.at(-1));
    if (kind < 0.6) return write(mark, began, ended);
    marks.push(mark);
    return write(mark, began, ended, kind < 0.7 ? undefined : marks.length);
  });
  return { operations, found: kept(...marks) };
}

const onPostgres = suite<Context>('the checker beside PostgreSQL');
const testOnPostgres = withPostgres(onPostgres);

type Storages = readonly [Storage, ...Storage[]];
const FILE = 'twins/ab/abcd';
const CLIENTS = 9;
const ROUNDS = 12;

const markIn = (data: string): string => (JSON.parse(data) as { mark: string }).mark;

/** Clients of all storages read and write one document at the same time. Gives what the checker says of it. */
async function judge(storages: Storages): Promise<string[]> {
  const operations: Operation[] = [];
  const timed = async (mark: string | undefined, work: () => Promise<{ version: number; mark?: string }>) => {
    const began = performance.now();
    const answer = await work().catch(() => undefined);
    const ended = performance.now();
    if (mark !== undefined) operations.push(write(mark, began, ended, answer?.version));
    else if (answer !== undefined) operations.push(read(began, ended, answer.version, answer.mark));
  };
  const client = async (storage: Storage, name: number) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const mark = `${name}.${round}`;
      await timed(mark, async () => {
        const edit = await changeFile(storage, FILE, (latest, updatedAt) => {
          const version = (latest.get(DOCUMENT)?.version ?? 0) + 1;
          return { key: DOCUMENT, document: { version, updatedAt, data: JSON.stringify({ mark }) } };
        });
        return { version: edit?.document?.version ?? 0 };
      });
      await timed(undefined, async () => {
        const document = (await readDocuments(storage, FILE)).get(DOCUMENT);
        return document === undefined
          ? { version: 0 }
          : { version: document.version, mark: markIn(document.data) };
      });
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, name) => {
    const storage = storages[name % storages.length] ?? storages[0];
    return client(storage, name);
  });
  await Promise.all(clients);
  const latest = (await readDocuments(storages[0], FILE)).get(DOCUMENT);
  const past = await storages[0].past(FILE, DOCUMENT, { limit: 1000, dataBytes: 1e7 });
  const versions = new Map(
    [...past, ...(latest === undefined ? [] : [latest])].map((each) => [each.version, each]),
  );
  const found = [...versions.values()].map(({ version, data }) => ({
    document: DOCUMENT,
    version,
    mark: markIn(data),
  }));
  assert.ok(operations.some(({ kind, version }) => kind === 'write' && version !== undefined));
  return contradictions(operations, found);
}

/** A storage that does one thing otherwise. */
const lying = (storage: Storage, otherwise: Partial<Storage>): Storage =>
  new Proxy(storage, {
    get(target, name) {
      const value = Reflect.get(otherwise, name) ?? Reflect.get(target, name);
      return typeof value === 'function' && !(name in otherwise) ? value.bind(target) : value;
    },
  });

testOnPostgres('it is quiet while three storages share a database', async ({ open }) => {
  assert.equal(await judge([await open(), await open(), await open()]), []);
});

testOnPostgres('it finds a storage that acknowledges a write which it lost', async ({ open }) => {
  const liar = await open();
  let count = 0;
  const change: Storage['change'] = (file, decide, done) => {
    count += 1;
    if (count % 8 !== 0) return liar.change(file, decide, done);
    liar.read(
      file,
      (latest) => decide(latest, new Date().toISOString()),
      (error, edit) => done(error, edit),
    );
  };
  const sentences = await judge([lying(liar, { change }), await open(), await open()]);
  assert.match(sentences.join('\n'), /acknowledged as version \d+ and is lost|is two different writes/);
});

testOnPostgres('it finds a storage that answers a read from a stale cache', async ({ open }) => {
  const liar = await open();
  let cached: Documents | undefined;
  const readStale: Storage['read'] = (file, look, done) => {
    if (cached !== undefined) return done(null, look(cached));
    liar.read(
      file,
      (documents) => {
        cached = new Map(documents);
        return look(documents);
      },
      done,
    );
  };
  const sentences = await judge([lying(liar, { read: readStale }), await open(), await open()]);
  assert.match(sentences.join('\n'), /a read gave version \d+ after version \d+ was known/);
});

testOnPostgres('it finds a storage that lets two writers have one version', async ({ open }) => {
  const credulous = (storage: Storage): Storage => {
    /** It decides on what it read, and says yes though another writer was faster. */
    const change: Storage['change'] = (file, decide, done) =>
      storage.read(
        file,
        (latest) => decide(latest, new Date().toISOString()),
        (error, edit) => {
          if (error !== null || edit?.document === undefined) return done(error);
          const { version } = edit.document;
          const late = (latest: Documents) => (latest.get(DOCUMENT)?.version ?? 0) >= version;
          storage.change(
            file,
            (latest) => (late(latest) ? undefined : edit),
            (failed) => done(failed, edit),
          );
        },
      );
    return lying(storage, { change });
  };
  const sentences = await judge([credulous(await open()), credulous(await open())]);
  assert.match(sentences.join('\n'), /version \d+ was acknowledged to two writers/);
});

test.run();
onPostgres.run();
