import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Workbench } from './workbench.js';

const test = suite<{ bench: Workbench }>('frozen modules');

test.before.each((context) => {
  context.bench = new Workbench();
});
test.after.each(({ bench }) => bench.end());

/** Traces what becomes of each statement. */
const attempts = (imports: string, statements: string[]): string => `
  import { board } from 'firmware/boards/board.js';
  ${imports}
  ${statements
    .map((statement) => `try { ${statement}; board.trace('done'); } catch (e) { board.trace(e.name); }`)
    .join('\n')}
  board.trace('end');
`;

const BUILT_IN = [
  'Array.prototype.push = 1',
  'Array.prototype.extra = 1',
  'delete Math.max',
  'Object.prototype.toString = 1',
  'Date.now = 1',
  'JSON.parse = 1',
  'Object.getPrototypeOf([][Symbol.iterator]()).next = 1',
  'Object.getPrototypeOf(function* () {}).extra = 1',
  'Object.getPrototypeOf(async () => {}).extra = 1',
  'Object.getPrototypeOf(Int8Array).from = 1',
];

test('a program cannot change what is built in', async ({ bench }) => {
  const lines = await bench.run(attempts('', BUILT_IN));
  assert.equal(
    lines,
    BUILT_IN.map(() => 'TypeError'),
  );
});

const IMPORTS = `
  import * as panel from 'firmware/panel.js';
  import { DEFAULTS } from 'firmware/config.js';
  import { FLASHES } from 'firmware/signals.js';
  import config from 'mc/config';
  import Timer from 'timer';
`;
const OF_MODULES = [
  'panel.Panel.prototype.setArmed = 1',
  'panel.Panel.extra = 1',
  'DEFAULTS.debounce = 1',
  'FLASHES.network = 1',
  'Timer.set = 1',
  'config.device = 1',
  'board.trace = 1',
  'board.timers.set = 1',
];

test("a program cannot change what the firmware's and the platform's modules export", async ({ bench }) => {
  const lines = await bench.run(attempts(IMPORTS, OF_MODULES));
  assert.equal(
    lines,
    OF_MODULES.map(() => 'TypeError'),
  );
});

test('what a module of the firmware has for itself is frozen as well', async ({ bench }) => {
  const imports = "import { patternFor } from 'firmware/signals.js';";
  const statements = ["patternFor({ sirenRinging: true }, 'server').push(1)"];
  const lines = await bench.run(attempts(imports, statements));
  assert.equal(lines, ['TypeError']);
});

test('what lies in ROM cannot be made into JSON, nor what leads to it; a copy can', async ({ bench }) => {
  const statements = [
    'JSON.stringify(DEFAULTS)',
    'JSON.stringify({ a: [DEFAULTS] })',
    'JSON.stringify({ ...FLASHES })',
  ];
  assert.equal(await bench.run(attempts(IMPORTS, statements)), ['TypeError', 'TypeError', 'done']);
});

test('what a program makes at run time is its own', async ({ bench }) => {
  const own = ['globalThis.own = 1; own += 1', 'class A {}; A.prototype.b = 1', 'const a = []; a.push(1)'];
  assert.equal(await bench.run(attempts('', own)), ['done', 'done', 'done']);
});

test.run();
