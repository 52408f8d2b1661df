/** Twins on the journaled storage against a model that holds everything in memory and knows nothing of files. */

import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Storage } from '../../../server/storage/storage.js';
import type { Document } from '../../../server/twins/document.js';
import { type Answer, Twins } from '../../../server/twins/twins.js';
import { type JsonObject, mergePatch } from '../../../shared/document.js';
import { DirectoryUnderTest } from '../storage/directory-under-test.js';

const test = suite('twins and storage');
const directory = new DirectoryUnderTest();
test.after(() => directory.remove());

const IDS = ['0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d', '1f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d'];
const NAMES = ['current', 'desired', 'constructor'];

const id = fc.constantFrom(...IDS);
const name = fc.constantFrom(...NAMES);
const data = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.oneof(fc.nat(), fc.constant(null), fc.constant({ x: 1 })),
  {
    noNullPrototype: true,
  },
);
const version = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat({ max: 4 }) },
);

const RESTARTS = [{ do: 'crash' as const }, { do: 'restart' as const }];

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('put' as const, 'patch' as const), id, name, data, version }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), id, name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), id }) },
  { weight: 1, arbitrary: fc.constantFrom(...RESTARTS) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Request = Exclude<Step, (typeof RESTARTS)[number]>;
type Shown = { version: number; data: JsonObject } | undefined;
/** The versions of every document, oldest first. */
type Model = Map<string, NonNullable<Shown>[]>;

const ask = <T>(call: (answer: Answer<T>) => void): Promise<T | undefined> =>
  new Promise((done) => call((error, value) => done(error === null ? value : undefined)));

const show = (document: Document | undefined): Shown =>
  document && { version: document.version, data: JSON.parse(document.data) };

function carryOut(twins: Twins, now: Request): Promise<unknown> {
  if (now.do === 'clear') return ask<void>((answer) => twins.clear(now.id, answer));
  if (now.do === 'delete') return ask<void>((answer) => twins.delete(now.id, now.name, answer));
  return ask<Document>((answer) => twins[now.do](now.id, now.name, now, answer)).then(show);
}

function imagine(model: Model, now: Request): Shown {
  if (now.do === 'clear') {
    for (const each of NAMES) model.delete(`${now.id} ${each}`);
    return undefined;
  }
  const key = `${now.id} ${now.name}`;
  const versions = model.get(key) ?? [];
  const present = versions.at(-1);
  if (now.do === 'delete') {
    model.delete(key);
    return undefined;
  }
  if (now.version !== 0 && now.version !== (present?.version ?? 0)) return undefined;
  if (now.do === 'patch' && present === undefined) return undefined;
  const next = {
    version: (present?.version ?? 0) + 1,
    data: now.do === 'put' ? now.data : mergePatch(structuredClone(present?.data ?? {}), now.data),
  };
  model.set(key, [...versions, next]);
  return next;
}

async function restart(storage: Storage, crashed: boolean): Promise<Storage> {
  if (crashed) await directory.crash();
  await storage.close();
  return directory.open({ journalSegmentBytes: 500, writeBehindMs: 2, memoryBytes: 1500 });
}

const RANGE = { limit: 1000, dataBytes: 1e6 };

test('random writes, crashes and restarts give the documents, versions and past that the model has', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      await directory.make();
      let storage = await directory.open();
      const model: Model = new Map();
      for (const now of steps) {
        if (now.do === 'crash' || now.do === 'restart') storage = await restart(storage, now.do === 'crash');
        else assert.equal((await carryOut(new Twins(storage), now)) ?? undefined, imagine(model, now));
      }
      storage = await restart(storage, true);
      const twins = new Twins(storage);
      for (const twin of IDS) {
        for (const each of NAMES) {
          const versions = model.get(`${twin} ${each}`);
          const document = await ask<Document>((answer) => twins.get(twin, each, answer));
          assert.equal(show(document), versions?.at(-1));
          const past = await twins.history(twin, each, RANGE).catch(() => undefined);
          assert.equal(past?.map(show).reverse(), versions);
        }
      }
      await storage.close();
      await directory.remove();
    }),
    { numRuns: 60, includeErrorInReport: true },
  );
});

test.run();
