/** The playground of several servers: it starts, takes its keys, and leaves nothing behind. */

import { existsSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../programs.js';
import { type Program, startProgram } from '../system/process.js';
import { nameOf, processesOf } from './playground/processes.js';
import { PROGRAMS } from './playground/programs.js';
import { waitFor } from './playground/wait-for.js';

const tests = suite('the playground of several servers');
const test = needsIn(tests, ...PROGRAMS);

const DIRECTORY = /^Starting three databases in (\S+)/;
/** Longer than a server lets a request wait. */
const ANSWER_MS = 10_000;
const NOT_STARTED = /Server \d does not start/;
const SERVED = /(Service is back|Clients were served)/;

const started = new Set<Program>();
// It removes nothing when it is killed, as this process does with what still runs at its end.
tests.after.each(async () => {
  for (const program of started) await program.stop();
  started.clear();
});

function start(): Program {
  const program = startProgram(['test/cluster/up']);
  started.add(program);
  // The runner shows them when the test fails.
  program.line((line) => void console.log(line)).catch(() => undefined);
  return program;
}

const found = (program: Program, form: RegExp): Promise<string> =>
  program.line((line) => form.exec(line)?.[1]);

/**
 * Presses a key and resolves when lines of all these forms have come after it. The port of a server that was killed may be
 * taken by another program meanwhile: then the key is pressed again.
 */
async function press(program: Program, key: string, ...forms: RegExp[]): Promise<void> {
  let from = program.lines.length;
  program.type(key);
  await waitFor(async () => {
    const lines = program.lines.slice(from);
    if (lines.some((line) => NOT_STARTED.test(line))) {
      from = program.lines.length;
      program.type(key);
    }
    return forms.every((form) => lines.some((line) => form.test(line)));
  });
}

async function assertGone(directory: string): Promise<void> {
  await waitFor(async () => processesOf(directory).length === 0);
  assert.not(existsSync(directory));
}

test('a server, the primary and a link fail, and clients are served again with all that was acknowledged', async () => {
  const program = start();
  const directory = await found(program, DIRECTORY);
  const [api, token] = await Promise.all([
    found(program, /^ +REST +(\S+)/),
    found(program, /^ +token +(\S+)/),
  ]);
  await Promise.all([found(program, /(Database \d is the primary)/), found(program, /(Server \d leads)/)]);

  const ask = (path: string, method = 'GET', body?: object): Promise<Response | undefined> =>
    fetch(api + path, {
      method,
      signal: AbortSignal.timeout(ANSWER_MS),
      headers: { 'X-Auth-Token': token, Connection: 'close' },
      ...(body && { body: JSON.stringify(body) }),
    }).catch(() => undefined);
  const answer = await ask('/devices', 'POST', { name: 'house' });
  assert.ok(answer);
  const { device } = (await answer.json()) as { device: { id: string } };
  const document = `/twins/${device.id}/documents/kept`;
  let count = 0;
  const putOne = (): Promise<number> => {
    count += 1;
    return waitFor(async () => (await ask(document, 'PUT', { data: { count } }))?.ok === true);
  };
  const assertKept = async (): Promise<void> => {
    const kept = (await (await ask(document))?.json()) as { data: object } | undefined;
    assert.equal(kept?.data, { count });
  };

  await putOne();
  for (const [key, happens, isOver] of [
    ['s', /Server \d was killed/, /Server \d is back after [\d,]+ ms/],
    ['p', /Database \d, the primary, was killed/, /Database \d has what the others have/],
    ['l', /link between server \d and the databases was cut/, /Server \d is ready again after [\d,]+ ms/],
  ] as const) {
    await press(program, key, happens, SERVED);
    await assertKept();
    await putOne();
    await assertKept();
    await press(program, key, isOver);
  }
  assert.ok(processesOf(directory).length > 0);
  program.type('q');
  assert.is((await program.ended).code, 0);
  await assertGone(directory);
});

test('Ctrl-C while the databases start leaves nothing behind', async () => {
  const program = start();
  const directory = await found(program, DIRECTORY);
  await waitFor(async () => processesOf(directory).some((pid) => nameOf(pid) === 'postgres'));
  await program.stop('SIGINT');
  await assertGone(directory);
});

tests('where programs are missing it names the Debian packages', async () => {
  const command = [process.execPath, '--import', 'tsx', 'test/cluster/up.ts'];
  const program = startProgram(command, { PATH: '/nowhere' });
  assert.is((await program.ended).code, 1);
  assert.match(program.lines.join('\n'), /sudo apt install .*patroni etcd-server/);
});

tests.run();
