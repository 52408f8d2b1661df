import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Cut, FlashDamaged, FlashFile } from '../../../firmware/desktop/flash-file.js';
import { Workbench } from './workbench.js';

const test = suite<{ directory: string; path: string }>('flash file');

test.before.each((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'flash-'));
  context.path = join(context.directory, 'flash.json');
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));

const bytes = (...values: number[]): Buffer => Buffer.from(values);

test('a flash file that is not there is an empty flash', ({ path }) => {
  assert.is(new FlashFile(path).read('a'), undefined);
  assert.not.ok(existsSync(path));
});

test('blocks outlive the program that wrote them', ({ path }) => {
  const flash = new FlashFile(path);
  flash.write('a', bytes(0, 255));
  flash.write('b', bytes());
  flash.write('a', bytes(1));
  const next = new FlashFile(path);
  assert.equal([next.read('a'), next.read('b'), next.read('c')], [bytes(1), bytes(), undefined]);
});

test('a write only adds to the file, and leaves no other one', ({ directory, path }) => {
  new FlashFile(path).write('a', bytes(1));
  const before = readFileSync(path, 'utf8');
  new FlashFile(path).write('b', bytes(2));
  const after = readFileSync(path, 'utf8');
  assert.ok(after.startsWith(before) && after.length > before.length);
  assert.equal(readdirSync(directory), ['flash.json']);
});

test('a file that would become too long is replaced by what counts of it', ({ path }) => {
  const flash = new FlashFile(path);
  flash.write('b', bytes(1));
  let writes = 0;
  let before: number;
  let length = 0;
  do {
    before = length;
    flash.write('a', Buffer.alloc(40_000, ++writes));
    length = statSync(path).size;
  } while (length > before);
  assert.ok(before < 300_000, `${before}`);
  const next = new FlashFile(path);
  assert.equal([next.read('a')?.[0], next.read('b')], [writes, bytes(1)]);
});

test('what was being added when the computer lost its power does not count, and the next write does', ({
  path,
}) => {
  new FlashFile(path).write('a', bytes(1));
  const before = readFileSync(path, 'utf8');
  new FlashFile(path).write('a', bytes(2));
  const after = readFileSync(path, 'utf8');
  for (let length = before.length; length < after.length; length += 1) {
    writeFileSync(path, after.slice(0, length));
    const flash = new FlashFile(path);
    assert.equal(flash.read('a'), bytes(1), `${length}`);
    flash.write('b', bytes(3));
    const next = new FlashFile(path);
    assert.equal([next.read('a'), next.read('b')], [bytes(1), bytes(3)], `${length}`);
  }
});

const MEDDLING: [string, (path: string) => void][] = [
  ['deleted', (path) => rmSync(path)],
  ['emptied', (path) => writeFileSync(path, '')],
  ['lengthened', (path) => appendFileSync(path, 'more')],
];
for (const [what, meddle] of MEDDLING) {
  test(`a file that somebody has ${what} is whole again after the next write`, ({ path }) => {
    const flash = new FlashFile(path);
    flash.write('a', bytes(1));
    meddle(path);
    flash.write('b', bytes(2));
    const next = new FlashFile(path);
    assert.equal([next.read('a'), next.read('b')], [bytes(1), bytes(2)]);
  });
}

const needsFull = existsSync('/dev/full') ? test : test.skip;
needsFull('on a full disk a write throws, and the flash is as it was', ({ path }) => {
  const flash = new FlashFile(path);
  flash.write('a', bytes(1));
  // What is added to a full disk may be half of it.
  appendFileSync(path, '{"a":');
  symlinkSync('/dev/full', `${path}.tmp`);
  assert.throws(() => flash.write('a', bytes(2)), /ENOSPC/);
  assert.equal([flash.read('a'), new FlashFile(path).read('a')], [bytes(1), bytes(1)]);
  assert.not.ok(existsSync(`${path}.tmp`));
  flash.write('a', bytes(3));
  assert.equal(new FlashFile(path).read('a'), bytes(3));
});

const DAMAGED = [
  ...['', '{', 'null', '[]', '"text"', '{"a":1}', '{"a":"no base64!"}', '{"a":null}'],
  ...['{"a":""}\n{"a":\n{"a":""}\n', '{"a":""}\n{"a":1}\n'],
];
for (const text of DAMAGED) {
  test(`a file that says ${text.replaceAll('\n', ' ') || 'nothing'} is refused by its name, and left as it is`, ({
    path,
  }) => {
    writeFileSync(path, text);
    try {
      new FlashFile(path);
      assert.unreachable();
    } catch (error) {
      assert.instance(error, FlashDamaged);
      assert.match((error as Error).message, path);
    }
    assert.is(readFileSync(path, 'utf8'), text);
  });
}

test('a panel does not start with a damaged flash file, nor in a directory that is not there', async () => {
  const bench = new Workbench();
  writeFileSync(bench.path('flash.json'), 'damaged');
  for (const [name, reason] of [
    ['flash.json', 'no flash file'],
    ['nowhere/flash.json', 'ENOENT'],
  ] as const) {
    try {
      await bench.panel({ flash: bench.path(name) });
      assert.unreachable();
    } catch (error) {
      assert.match((error as Error).message, reason);
    }
  }
  bench.end();
});

const CUTS: [Cut, Buffer][] = [
  ['before', bytes(1, 1, 1, 1)],
  ['torn', bytes(2, 2, 255, 255)],
  ['after', bytes(2, 2, 2, 2)],
];
for (const [how, left] of CUTS) {
  test(`a power cut ${how === 'torn' ? 'in the middle of' : how} a write leaves ${left.toString('hex')}`, ({
    path,
  }) => {
    const flash = new FlashFile(path);
    flash.write('a', bytes(1, 1, 1, 1));
    flash.write('b', bytes(3));
    let cuts = 0;
    flash.cutPowerAt(2, how, () => {
      cuts += 1;
    });
    assert.equal(flash.read('b'), bytes(3));
    assert.is(cuts, 0);
    flash.write('a', bytes(2, 2, 2, 2));
    assert.is(cuts, 1);
    const next = new FlashFile(path);
    assert.equal([next.read('a'), next.read('b')], [left, bytes(3)]);
  });
}

test('a power cut at a read gives nothing, and comes once', ({ path }) => {
  const flash = new FlashFile(path);
  flash.write('a', bytes(1));
  let cuts = 0;
  flash.cutPowerAt(1, 'before', () => {
    cuts += 1;
  });
  assert.is(flash.read('a'), undefined);
  assert.equal([flash.read('a'), cuts], [bytes(1), 1]);
});

test.run();
