/** What every board gives the panel, by the same rules: those that run on XS with a program of this test, and the one in memory. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Board } from '../../../firmware/board.js';
import type { ContactConfig } from '../../../firmware/config.js';
import { ContactLines, type Line } from '../../../firmware/desktop/contact-lines.js';
import { until } from '../../until.js';
import { MemoryBoard } from '../memory-board.js';
import {
  ESP32_MODULES,
  ESP32_PINS,
  SDK_GLOBALS,
  SIMULATOR_GLOBALS,
  SIMULATOR_MODULES,
} from './sdk-modules.js';
import { Workbench } from './workbench.js';

const CONTACTS: readonly ContactConfig[] = [
  { name: 'door', kind: 'entry' },
  { name: 'window', kind: 'instant', inverted: true },
  { name: 'tamper', kind: 'always', line: 'resistor' },
  { name: 'key', kind: 'key' },
];

/** What it does on a board, and traces: at every edge the level, and a voltage when it is another one. */
const USE = `
  function use(board) {
    const onEdge = (index) => {
      board.siren.write(true);
      board.beeper?.write(true);
      board.led.write(false);
      board.trace('edge ' + index + ' ' + inputs[index].read());
    };
    const inputs = board.config.contacts.map((_, index) => board.contact(index, () => onEdge(index)));
    const levels = () => inputs.map((input) => input.read().toFixed(2)).join();
    let before = levels();
    board.trace('levels ' + before);
    board.timers.repeat(() => {
      const now = levels();
      if (now !== before) board.trace('levels ' + now);
      before = now;
    }, 5);
    board.trace('kept ' + String(board.storage.read('a')));
    board.storage.write('a', new Uint8Array([1, 0, 255]));
    board.storage.write('b', new Uint8Array([2]));
    board.trace('kept ' + new Uint8Array(board.storage.read('a')));
  }
`;

interface Bench {
  lines: string[];
  /** Changes a contact. */
  set(name: string, line: Line): void;
  outputs(): { siren: boolean; led: boolean; beeper: boolean };
  end(): void;
}

type Opens = () => Promise<Bench>;

const onXs =
  (globals: string, path: string, modules: Record<string, string>, config: object): Opens =>
  async () => {
    const bench = new Workbench();
    const program = await bench.program(
      `${globals}\n${USE}\nimport('firmware/boards/${path}.js').then(({ board }) => use(board));`,
      modules,
    );
    const panel = await bench.panel({ program, config: { contacts: CONTACTS, ...config } });
    return {
      lines: bench.lines,
      set: (name, line) => panel.set(name, line),
      outputs: () => ({ siren: panel.state.sirenRinging, led: panel.led, beeper: panel.beeper }),
      end: () => bench.end(),
    };
  };

const inMemory: Opens = async () => {
  const board = new MemoryBoard({ contacts: CONTACTS });
  const lines = new ContactLines(CONTACTS, (pin) => {
    const index = Number(pin.replace('contact ', ''));
    board.setLevel(lines.level(pin) ?? 0, undefined, index);
  });
  CONTACTS.forEach((_, index) => {
    board.levels[index] = lines.level(`contact ${index}`) ?? 0;
  });
  const use = new Function(`${USE}; return use;`)() as (board: Board) => void;
  use(board);
  const passing = setInterval(() => board.advance(5), 1);
  return {
    lines: board.lines,
    set: (name, line) => lines.set(name, line),
    outputs: () => ({ siren: board.siren.on, led: board.led.on, beeper: board.beeper.on }),
    end: () => clearInterval(passing),
  };
};

const withPins = {
  ...ESP32_PINS,
  contacts: CONTACTS.map((contact, index) => ({ ...contact, pin: `contact ${index}` })),
};
interface Has {
  /** So many of its contacts can be moved. */
  contacts: number;
  beeper: boolean;
}

const BOARDS: [name: string, opens: Opens, has: Has][] = [
  ['desktop', onXs('', 'desktop', {}, {}), { contacts: 4, beeper: true }],
  ['esp32', onXs(SDK_GLOBALS, 'esp32', ESP32_MODULES, withPins), { contacts: 4, beeper: true }],
  [
    'simulator',
    onXs(SIMULATOR_GLOBALS, 'simulator', SIMULATOR_MODULES, { file: { root: '/' } }),
    { contacts: 1, beeper: false },
  ],
  ['memory', inMemory, { contacts: 4, beeper: true }],
];

/** On each board that has so many contacts to move. */
function onBoards(title: string, check: (bench: Bench, has: Has) => unknown, contacts = 1): void {
  for (const [name, opens, has] of BOARDS.filter((board) => board[2].contacts >= contacts)) {
    test(`the board ${name} ${title}`, async () => {
      const bench = await opens();
      try {
        await until(() => bench.lines.filter((line) => line.startsWith('kept')).length === 2);
        await check(bench, has);
      } finally {
        bench.end();
      }
    });
  }
}

onBoards('reads each contact by its index: at rest, inverted, a voltage, a key', (bench) => {
  assert.is(bench.lines[0], 'levels 0.00,1.00,0.43,1.00');
});

onBoards('tells an edge to the contact that has it, and to no other', async (bench, has) => {
  const edges = () => bench.lines.filter((line) => line.startsWith('edge'));
  const moves: [string, Line, string][] = [
    ['door', 'open', 'edge 0 1'],
    ['window', 'open', 'edge 1 0'],
    ['key', 'closed', 'edge 3 0'],
    ['door', 'closed', 'edge 0 0'],
  ];
  const expected: string[] = [];
  for (const [contact, line, edge] of moves) {
    bench.set(contact, line);
    if (Number(edge.split(' ')[1]) < has.contacts) expected.push(edge);
    await until(() => edges().length >= expected.length);
  }
  assert.equal(edges(), expected);
});

onBoards(
  'measures the voltage of a line with resistors',
  async (bench) => {
    for (const [line, voltage] of [
      ['open', '0.65'],
      ['cut', '1.00'],
      ['shorted', '0.00'],
      ['closed', '0.43'],
    ] as const) {
      bench.set('tamper', line);
      await until(() => bench.lines.at(-1) === `levels 0.00,1.00,${voltage},1.00`);
    }
  },
  3,
);

onBoards('has outputs that are off until they are written, each for itself', async (bench, has) => {
  assert.equal(bench.outputs(), { siren: false, led: false, beeper: false });
  bench.set('door', 'open');
  await until(() => bench.lines.includes('edge 0 1'));
  assert.equal(bench.outputs(), { siren: true, led: false, beeper: has.beeper });
});

onBoards('keeps blocks of bytes by their names, and has nothing where nothing was written', (bench) => {
  const kept = bench.lines.filter((line) => line.startsWith('kept'));
  assert.equal(kept, ['kept undefined', 'kept 1,0,255']);
});

test.run();
