import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { workerPath } from '../../../firmware/desktop/engine.js';
import { XsWorker } from '../../../firmware/desktop/worker.js';
import { until } from '../../until.js';

const HANDLER = 'function handleCommand(message) { return issueCommand(message); }';

interface Context {
  lines: string[];
  ends: string[];
  asked: string[];
  start: (path?: string) => XsWorker;
  workers: XsWorker[];
}

const test = suite<Context>('XS worker');

test.before.each((context) => {
  context.lines = [];
  context.ends = [];
  context.asked = [];
  context.workers = [];
  context.start = (path = workerPath()) => {
    const worker = new XsWorker(path, {
      onRequest: (message) => {
        context.asked.push(message.toString());
        return Buffer.from('answer');
      },
      onOutput: (line) => context.lines.push(line),
      onEnd: (why) => context.ends.push(why),
    });
    context.workers.push(worker);
    return worker;
  };
});

test.after.each(({ workers }) => {
  for (const worker of workers) worker.kill();
});

async function rejection(promise: Promise<void>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as Error).message;
  }
  return assert.unreachable() as never;
}

const command = (worker: XsWorker, text: string): Promise<Error | null> =>
  new Promise((resolve) => worker.command(() => Buffer.from(text), resolve));

test('a script that throws is rejected with what it throws', async ({ start }) => {
  const worker = start();
  assert.is(await rejection(worker.evaluate('throw new RangeError("too far")')), 'RangeError: too far');
  assert.match(await rejection(worker.evaluate('this is no script')), 'SyntaxError');
  await worker.evaluate('1 + 1');
});

test('the XS side asks, and goes on with the answer', async ({ start, asked, lines }) => {
  const worker = start();
  await worker.evaluate(`
    const ask = new TextEncoder().encode('question').buffer;
    print(new TextDecoder().decode(new Uint8Array(issueCommand(ask))));
  `);
  assert.equal(asked, ['question']);
  await until(() => lines.length > 0);
  assert.equal(lines, ['answer']);
});

test('commands are carried out one after the other, in their order', async ({ start, asked }) => {
  const worker = start();
  worker.evaluate(HANDLER);
  const answers = ['1', '2', '3'].map((text) => command(worker, text));
  assert.equal(await Promise.all(answers), [null, null, null]);
  assert.equal(asked, ['1', '2', '3']);
});

test('what a command returns is heard, and nothing when it returns no bytes', async ({ start }) => {
  const worker = start();
  await worker.evaluate(
    'function handleCommand(message) { return message.byteLength > 1 ? message : undefined; }',
  );
  const results: string[] = [];
  for (const text of ['1', 'several'])
    await new Promise<void>((resolve) =>
      worker.command(
        () => Buffer.from(text),
        (_, result) => {
          results.push(result.toString());
          resolve();
        },
      ),
    );
  assert.equal(results, ['', 'several']);
});

test('a command is made when those before it have been carried out', async ({ start, asked }) => {
  const worker = start();
  worker.evaluate(HANDLER);
  const first = command(worker, '1');
  const second = new Promise((resolve) => worker.command(() => Buffer.from(`after ${asked}`), resolve));
  await Promise.all([first, second]);
  assert.equal(asked, ['1', 'after 1']);
});

test('a command that throws says what, and the next one is carried out', async ({ start }) => {
  const worker = start();
  await worker.evaluate(
    'let times = 0; function handleCommand() { if (times++ === 0) throw new Error("once"); }',
  );
  assert.is((await command(worker, 'a'))?.message, 'Error: once');
  assert.is(await command(worker, 'b'), null);
});

test('what is printed comes line by line', async ({ start, lines }) => {
  await start().evaluate('print("one"); print("two\\nthree");');
  await until(() => lines.length >= 3);
  assert.equal(lines, ['one', 'two', 'three']);
});

test('an engine that runs out of stack is reported as ended, with the reason', async ({ start, ends }) => {
  start().evaluate('function deeper() { deeper(); deeper(); } deeper();');
  await until(() => ends.length > 0);
  assert.equal(ends, ['the XS engine has ended with 12']);
});

test('nothing is heard of an engine that was killed', async ({ start, ends, asked }) => {
  const worker = start();
  await worker.evaluate(HANDLER);
  let done = 0;
  worker.command(
    () => Buffer.from('a'),
    () => {
      done += 1;
    },
  );
  worker.kill();
  worker.command(
    () => Buffer.from('b'),
    () => {
      done += 1;
    },
  );
  const other = start();
  await other.evaluate('0');
  assert.equal([ends, asked, done], [[], [], 0]);
});

test('an engine that cannot be started is reported once, with the reason', async ({ start, ends }) => {
  const worker = start(join(import.meta.dirname, 'no-such-engine'));
  worker.evaluate('0');
  await until(() => ends.length > 0);
  const other = start();
  await other.evaluate('0');
  assert.is(ends.length, 1);
  assert.match(ends.join(), /cannot be started: .*ENOENT/);
});

test('an engine that speaks nonsense is ended', async ({ start, ends }) => {
  const directory = mkdtempSync(join(tmpdir(), 'engine-'));
  const engine = join(directory, 'engine');
  writeFileSync(engine, '#!/bin/sh\necho this is no netstring >&4\nread answer <&3\n', { mode: 0o755 });
  start(engine);
  await until(() => ends.length > 0);
  assert.equal(ends, ['the XS engine speaks nonsense: not a netstring']);
  rmSync(directory, { recursive: true });
});

test.run();
