import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pathOf, skipping } from '../../programs.js';
import { bytecodeOf } from './bytecode.js';
import { build } from './engine.js';
import { measureHeap, total } from './heap.js';
import { EMULATOR, findToolchain, type Runs } from './toolchain.js';

/** The compiled program lies in a temporary directory. */
const BY_ITSELF = '/';

/** A machine on which the commands that begin with one of these words end well. */
const machine =
  (...beginnings: string[]): Runs =>
  ([program = '']) =>
    beginnings.some((beginning) => program.startsWith(beginning));

test('a machine that runs programs for 32 bits by itself needs no emulator', () => {
  assert.equal(findToolchain(machine('gcc', BY_ITSELF)), { compiler: ['gcc', '-m32'], emulator: [] });
});

test('the cross compiler is taken where the compiler knows no 32 bits', () => {
  const toolchain = findToolchain(machine('i686-linux-gnu-gcc', 'qemu-i386'));
  assert.ok('compiler' in toolchain);
  assert.equal(toolchain.compiler, ['i686-linux-gnu-gcc']);
});

test('a machine that lacks a part gets its name, and the name of its package', () => {
  const lacks = (runs: Runs): unknown => ({ missing: '', ...findToolchain(runs) }).missing;
  assert.match(String(lacks(machine())), /compiler for 32 bits \(gcc-(multilib|i686-linux-gnu)\)/);
  assert.match(String(lacks(machine('gcc'))), 'qemu-i386 (qemu-user)');
});

const here = findToolchain();
const needsToolchain = 'missing' in here ? skipping(here.missing) : test;
/** The last stands in for an emulator on a machine that has none and needs none. */
const emulator = pathOf('qemu-i386') === undefined ? ['env'] : EMULATOR;

needsToolchain('bytecode and heap are measured by way of the emulator, too', async () => {
  assert.ok('compiler' in here);
  const engine = build({ ...here, emulator });
  assert.ok(bytecodeOf('manifests/esp32.json', engine).size > 0);
  const { slotBytes, steady } = await measureHeap(engine, 0);
  assert.is(slotBytes, 16);
  assert.ok(total(steady) > 0);
});

test.run();
