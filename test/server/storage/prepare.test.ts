import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FORMAT, type Step, UnknownFormat } from '../../../server/storage/format.js';
import { prepareDirectory } from '../../../server/storage/prepare.js';
import { readDocuments } from '../../../server/storage/storage.js';
import { makeReady, stage } from '../../../server/storage/swap.js';
import { put, stored } from './contract.js';
import { DirectoryUnderTest } from './directory-under-test.js';
import { atEachStep } from './each-step.js';

const test = suite('prepare');
const directory = new DirectoryUnderTest();

test.before.each(async () => {
  await directory.make();
});
test.after.each(() => directory.remove());

/** The lines that a person reads in the log. */
const lines: string[] = [];
const log = { info: () => undefined, warn: (line: string) => lines.push(line) } as never;

const formatIn = async (data: string): Promise<unknown> =>
  JSON.parse(await readFile(join(data, 'format.json'), 'utf8')).format;

const read = (...path: string[]): Promise<string> => readFile(join(...path), 'utf8');

/** Two steps: the first writes a file anew, the second moves it. A directory that was half migrated would show it. */
const STEPS: Step[] = [
  async (data) =>
    writeFile(join(data, 'house.json'), (await read(data, 'house.json')).replace('old', 'newer')),
  async (data) => {
    await mkdir(join(data, 'houses'));
    await writeFile(
      join(data, 'houses', '1.json'),
      (await read(data, 'house.json')).replace('newer', 'newest'),
    );
    await rm(join(data, 'house.json'));
  },
];

/** As version 0.1 leaves it: it has no format. */
async function makeOld(): Promise<string> {
  const data = await directory.make();
  await mkdir(join(data, 'journal'));
  await mkdir(join(data, 'history', 'twins'), { recursive: true });
  await writeFile(join(data, 'journal', '00000001.log'), '');
  await writeFile(join(data, 'history', 'twins', 'a.jsonl'), '{}');
  await writeFile(join(data, 'house.json'), 'old');
  return data;
}

const asideIn = async (data: string): Promise<string[]> =>
  (await readdir(data)).filter((name) => name.startsWith('before-'));

test('a new directory gets the present format, and nothing is kept aside', async () => {
  await prepareDirectory(directory.data, log);
  assert.is(await formatIn(directory.data), FORMAT);
  assert.equal(await readdir(directory.data), ['format.json']);
});

test('an older directory is migrated step by step, its copy stays, and the log says where', async () => {
  const data = await makeOld();
  lines.length = 0;
  await prepareDirectory(data, log, STEPS);
  assert.is(await read(data, 'houses', '1.json'), 'newest');
  assert.equal(await formatIn(data), 2);
  const [aside = ''] = await asideIn(data);
  assert.match(aside, /^before-format-2-\d{4}-\d\d-\d\d-\d{9}$/);
  assert.equal((await readdir(join(data, aside))).sort(), ['history', 'house.json', 'journal']);
  assert.is(await read(data, aside, 'house.json'), 'old');
  assert.match(
    lines.join(),
    `migrated from format 0 to format 2: what was there before is in ${join(data, aside)}`,
  );
  await prepareDirectory(data, log, STEPS);
  assert.equal(await asideIn(data), [aside], 'it is migrated once');
});

test('a directory of a format between begins at its own step', async () => {
  const data = await makeOld();
  await prepareDirectory(data, log, STEPS.slice(0, 1));
  assert.is(await read(data, 'house.json'), 'newer');
  await prepareDirectory(data, log, STEPS);
  assert.is(await read(data, 'houses', '1.json'), 'newest');
});

test('a migration that ends at any step is done at the next start, and the old data are whole then', async () => {
  let data = '';
  const steps = await atEachStep(
    async () => {
      data = await makeOld();
    },
    () => prepareDirectory(data, log, STEPS),
    async (step) => {
      await prepareDirectory(data, log, STEPS);
      assert.is(await read(data, 'houses', '1.json'), 'newest', `after step ${step}`);
      const aside = await asideIn(data);
      assert.is(aside.length, 1, `after step ${step}: ${aside}`);
      assert.is(await read(data, aside[0] ?? '', 'house.json'), 'old');
      assert.equal((await readdir(data)).sort(), [aside[0], 'format.json', 'history', 'houses', 'journal']);
    },
  );
  assert.ok(steps > 20, `${steps} steps`);
});

test('where the disk is full while the copy is made, nothing is changed, and one line says so', async () => {
  const data = await makeOld();
  const before = await readdir(data);
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  const step = async () => {
    throw full;
  };
  const message = await prepareDirectory(data, log, [step]).catch((error: Error) => error.message);
  assert.is(
    message,
    `${data} has an older format and could not be copied and migrated; it is as it was: the disk is full`,
  );
  assert.equal(await readdir(data), before);
  assert.is(await read(data, 'house.json'), 'old');
});

test('a newer directory is refused in one line, and nothing is touched', async () => {
  await writeFile(join(directory.data, 'format.json'), '{"format":99,"program":"7.0.0"}');
  try {
    await directory.open();
    assert.unreachable('it was opened');
  } catch (error) {
    assert.instance(error, UnknownFormat);
    assert.match(
      (error as Error).message,
      /has format 99, written by version 7\.0\.0; version .* knows formats up to 1/,
    );
    assert.not.match((error as Error).message, '\n');
  }
  assert.equal(await readdir(directory.data), ['format.json']);
});

test('a damaged format is no reason to begin anew', async () => {
  for (const text of ['', 'null', '{"format":"1"}', '{"format":0,"program":"x"}', '\u0000\u0000']) {
    await writeFile(join(directory.data, 'format.json'), text);
    await prepareDirectory(directory.data, log).then(
      () => assert.unreachable(text),
      (error: Error) => assert.match(error.message, /format\.json is damaged/),
    );
  }
});

test('contents that are ready take the place of the old ones, whenever the process ends', async () => {
  const contents = async (data: string) => ({
    old: await read(data, 'house.json').catch(() => undefined),
    fresh: await read(data, 'fresh.json').catch(() => undefined),
  });
  let data = '';
  const steps = await atEachStep(
    async () => {
      data = await makeOld();
      await prepareDirectory(data, log, STEPS.slice(0, 1));
      await rm(join(data, (await asideIn(data))[0] ?? ''), { recursive: true });
      await writeFile(join(data, 'panel-flash.json'), 'armed');
    },
    async () => {
      const staged = await stage(data, 'restore');
      await mkdir(join(staged.path, 'journal'));
      await writeFile(join(staged.path, 'fresh.json'), 'fresh');
      await writeFile(join(staged.path, 'format.json'), '{"format":1,"program":"0"}');
      await makeReady(data, staged);
      await prepareDirectory(data, log, STEPS.slice(0, 1));
    },
    async (step) => {
      await prepareDirectory(data, log, STEPS.slice(0, 1));
      const { old, fresh } = await contents(data);
      assert.equal([old, fresh].filter(Boolean).length, 1, `after step ${step}: ${old} and ${fresh}`);
      const aside = await asideIn(data);
      assert.is(aside.length, fresh === undefined ? 0 : 1);
      if (fresh !== undefined) assert.is(await read(data, aside[0] ?? '', 'house.json'), 'newer');
      assert.is(await read(data, 'panel-flash.json'), 'armed', 'what is not content stays');
    },
  );
  assert.ok(steps > 15, `${steps} steps`);
});

test('the storage opens what was migrated', async () => {
  const storage = await directory.open();
  await readDocuments(storage, 'twins/a');
  await put(storage, 'twins/a', 'd', stored(1));
  await storage.close();
  await rm(join(directory.data, 'format.json'));
  const again = await directory.open();
  assert.is((await readDocuments(again, 'twins/a')).get('d')?.version, 1);
  await again.close();
  assert.is((await asideIn(directory.data)).length, 1);
});

test.run();
