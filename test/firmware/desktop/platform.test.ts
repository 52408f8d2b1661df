/** The platform's modules as a program on XS meets them: timers, flash, clock, randomness, exceptions. */

import { rmSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../until.js';
import { Workbench } from './workbench.js';

const test = suite<{ bench: Workbench }>('platform modules');

test.before.each((context) => {
  context.bench = new Workbench();
});
test.after.each(({ bench }) => bench.end());

const IMPORTS = "import { board } from 'firmware/boards/board.js'; import Timer from 'timer';";

test('timers fire in the order of their times, and those of the same time in the order they were set', async ({
  bench,
}) => {
  const lines = await bench.run(`${IMPORTS}
    Timer.set(() => board.trace('end'), 60);
    Timer.set(() => board.trace('30 a'), 30);
    Timer.set(() => board.trace('30 b'), 30);
    Timer.set(() => board.trace('0'));
    Timer.set(() => board.trace('1'), 1);
    board.trace('at once');
  `);
  assert.equal(lines, ['at once', '0', '1', '30 a', '30 b']);
});

test('a timer that is cleared while it is already on its way does not fire', async ({ bench }) => {
  const lines = await bench.run(`${IMPORTS}
    Timer.set(() => { board.trace('first'); Timer.clear(second); Timer.clear(second); }, 10);
    const second = Timer.set(() => board.trace('second'), 10);
    Timer.set(() => board.trace('third'), 10);
    Timer.set(() => board.trace('end'), 20);
    Timer.clear(undefined);
  `);
  assert.equal(lines, ['first', 'third']);
});

test('a repeating timer fires until it is cleared, with itself as its argument', async ({ bench }) => {
  const lines = await bench.run(`${IMPORTS}
    let times = 0;
    Timer.repeat((timer) => {
      board.trace(String(++times));
      if (times < 3) return;
      Timer.clear(timer);
      Timer.set(() => board.trace('end'), 20);
    }, 5);
  `);
  assert.equal(lines, ['1', '2', '3']);
});

test('what a busy program misses of a repeating timer is not made up for', async ({ bench }) => {
  const lines = await bench.run(`${IMPORTS}
    const repeating = Timer.repeat(() => board.trace('tick'), 10);
    Timer.set(() => {
      Timer.set(() => Timer.clear(repeating), 0);
      for (const begun = board.time.ticks(); board.time.ticks() < begun + 200; );
      board.trace('busy');
      Timer.set(() => board.trace('end'), 30);
    }, 5);
  `);
  assert.ok(lines.indexOf('busy') >= 0);
  assert.ok(lines.slice(lines.indexOf('busy')).length <= 4, lines.join());
});

test('a timer of a longer time than Node can count does not fire at once', async ({ bench }) => {
  const lines = await bench.run(`${IMPORTS}
    Timer.set(() => board.trace('one'), 3e9);
    Timer.repeat(() => board.trace('repeating'), 3e9);
    Timer.set(() => board.trace('end'), 30);
  `);
  assert.equal(lines, []);
});

test('the ticks go on while the program is busy, and never go back from one turn to the next', async ({
  bench,
}) => {
  const lines = await bench.run(`import time from 'time'; ${IMPORTS}
    let end = 0;
    Timer.set(() => {
      const begun = time.ticks;
      while (time.ticks < begun + 50);
      end = time.ticks;
    }, 5);
    Timer.set(() => {
      board.trace(time.ticks >= end ? 'later' : 'earlier');
      board.trace('end');
    }, 10);
  `);
  assert.equal(lines, ['later']);
});

test('a clock that is set does not move the ticks', async ({ bench }) => {
  const lines = await bench.run(`import time from 'time'; ${IMPORTS}
    const before = time.ticks;
    board.time.set(Date.UTC(2040, 0, 1));
    Timer.set(() => {
      board.trace(time.ticks - before < 60_000 ? 'as before' : 'moved');
      board.trace('end');
    }, 5);
  `);
  assert.equal(lines, ['as before']);
});

/** What is written to the pins, in the order in which Node hears of it. */
async function written(bench: Workbench, source: string): Promise<string[]> {
  const heard: string[] = [];
  const program = await bench.program(`${IMPORTS}${source}`);
  const panel = await bench.panel({
    program,
    onOutput: (pin, level) => heard.push(`${pin} ${level}`),
    trace: (line) => heard.push(line),
  });
  await until(() => heard.includes('end'));
  await panel.turned();
  return heard.slice(heard.indexOf('begin'));
}

test('the pins are written in the order of the program, and before what it asks next', async ({ bench }) => {
  const heard = await written(
    bench,
    `Timer.set(() => {
      board.trace('begin');
      board.led.write(true);
      board.siren.write(true);
      board.led.write(false);
      board.beeper.write(true);
      board.trace('end');
    }, 0);`,
  );
  assert.equal(heard, ['begin', 'led 1', 'siren 1', 'led 0', 'beeper 1', 'end']);
});

test('a pin that is written last in a turn, by a promise, is written when the turn is over', async ({
  bench,
}) => {
  const heard = await written(
    bench,
    `Timer.set(() => {
      board.trace('begin');
      Promise.resolve().then(() => board.led.write(true));
      board.trace('end');
    }, 0);`,
  );
  assert.equal(heard, ['begin', 'end', 'led 1']);
});

test('a pin that is written while the program starts is written at once', async ({ bench }) => {
  const heard = await written(bench, "board.trace('begin'); board.led.write(true); board.trace('end');");
  assert.equal(heard, ['begin', 'led 1', 'end']);
});

test('nothing is done any more that the program wanted when its power was cut', async ({ bench }) => {
  const heard: string[] = [];
  const program = await bench.program(`${IMPORTS}
    Timer.set(() => { board.led.write(true); board.beeper.write(true); }, 0);
  `);
  const panel = await bench.panel({
    program,
    onOutput: (pin, level) => {
      if (level === 0) return;
      heard.push(pin);
      panel.powerOff();
    },
  });
  await until(() => !panel.state.power);
  assert.equal([heard, panel.beeper], [['led'], false]);
});

test('flash gives back what was written, and nothing where nothing was', async ({ bench }) => {
  const lines = await bench.run(`${IMPORTS}
    board.trace(String(board.storage.read('a')));
    board.storage.write('a', new Uint8Array([0, 10, 255]));
    board.trace(String(new Uint8Array(board.storage.read('a'))));
    board.trace('end');
  `);
  assert.equal(lines, ['undefined', '0,10,255']);
});

test('flash that takes nothing throws, with the reason', async ({ bench }) => {
  const program = await bench.program(`${IMPORTS}
    Timer.set(() => {
      try { board.storage.write('a', new Uint8Array(1)); } catch (error) { board.trace(error.message); }
    }, 0);
  `);
  // The directory goes before the program comes.
  await bench.panel({ program });
  rmSync(bench.directory, { recursive: true });
  await bench.traced('ENOENT');
});

test('a wrong clock tells the wrong time, until it is set', async ({ bench }) => {
  const program = await bench.program(`${IMPORTS}
    Timer.set(() => {
      board.trace(String(Date.now() < Date.UTC(2000, 0, 1)));
      board.time.set(Date.UTC(2040, 0, 1));
      board.trace(new Date(board.time.now()).toISOString().slice(0, 10));
      board.trace('end');
    }, 0);
  `);
  const panel = await bench.panel({ program });
  panel.shiftClock(-Date.now());
  await bench.traced('end');
  assert.equal(bench.lines, ['true', '2040-01-01', 'end']);
});

test('the time server answers with the time, and not without a network', async ({ bench }) => {
  const program = await bench.program(`${IMPORTS}
    const ask = () => board.time.query((now) => {
      board.trace(now === undefined ? 'no answer' : String(Math.abs(now - Date.now()) < 60_000));
      Timer.set(ask, 5);
    });
    ask();
  `);
  const panel = await bench.panel({ program });
  await bench.traced('true');
  panel.networkOff();
  await bench.traced('no answer');
});

test('two panels have different random numbers, and so has one panel after a restart', async ({ bench }) => {
  const program = await bench.program(`${IMPORTS}
    const number = board.random();
    board.trace(number >= 0 && number < 1 ? 'number ' + number : 'out of range');
  `);
  const panel = await bench.panel({ program });
  await bench.panel({ program, flash: bench.path('other.json') });
  await bench.traced('number', 2);
  panel.powerOff();
  panel.powerOn();
  await bench.traced('number', 3);
  assert.is(new Set(bench.lines).size, 3, bench.lines.join());
});

const EXCEPTIONS: [string, string][] = [
  ['while the program starts', "throw new Error('broken');"],
  ['in a timer', "Timer.set(() => { throw new Error('broken'); }, 5);"],
  ['in a promise without a handler', "Timer.set(() => { Promise.reject(new Error('broken')); }, 5);"],
];

for (const [where, code] of EXCEPTIONS) {
  test(`an exception ${where} is traced with the TypeScript file and line, and the program restarts`, async ({
    bench,
  }) => {
    const program = await bench.program(`${IMPORTS}\n\n\nboard.trace('start');\n${code}\n`);
    await bench.panel({ program });
    await bench.traced('start', 2);
    assert.is(bench.lines[1], 'uncaught exception: Error: broken');
    assert.match(bench.lines[2] ?? '', 'program.ts:5)');
  });
}

test('what is thrown may be anything', async ({ bench }) => {
  const program = await bench.program(`${IMPORTS}\nTimer.set(() => { throw undefined; }, 0);`);
  await bench.panel({ program });
  await bench.traced('uncaught exception: undefined', 2);
});

test('a program whose engine dies restarts, and the flash is as it was', async ({ bench }) => {
  const program = await bench.program(`${IMPORTS}
    const [starts] = new Uint8Array(board.storage.read('starts') ?? 1);
    board.trace('start ' + starts);
    board.storage.write('starts', new Uint8Array([starts + 1]));
    const deeper = () => { deeper(); deeper(); };
    Timer.set(deeper, 0);
  `);
  await bench.panel({ program });
  await bench.traced('start 2');
  assert.ok(bench.lines.includes('the XS engine has ended with 12'), bench.lines.join());
});

test('a panel that is stopped at the news that its program has ended does not come back', async ({
  bench,
}) => {
  const program = await bench.program(`${IMPORTS}
    board.trace('start');
    board.siren.write(true);
    Timer.set(() => board.restart(), 10);
  `);
  const panel = await bench.panel({ program });
  await panel.until(({ sirenRinging }) => sirenRinging);
  panel.onChange(({ sirenRinging }) => sirenRinging || panel.stop());
  const trace: string[] = [];
  await bench.panel({ program, flash: bench.path('other.json'), trace: (line) => trace.push(line) });
  await until(() => trace.length >= 3);
  assert.equal(bench.lines, ['start']);
});

test('waiting for a state of a panel that is stopped fails', async ({ bench }) => {
  const panel = await bench.panel();
  const waiting = panel.until(({ online }) => online);
  panel.stop();
  for (const promise of [waiting, panel.until(() => true)]) {
    try {
      await promise;
      assert.unreachable();
    } catch (error) {
      assert.match((error as Error).message, 'the panel was stopped');
    }
  }
});

test.run();
