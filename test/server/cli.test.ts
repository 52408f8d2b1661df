/** The command line as a process of its own, against the REST interface in this one. */

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../programs.js';
import { startProgram } from '../system/process.js';
import { startTestRest, type TestRest } from './rest/rest.js';

const test = suite<{ rest: TestRest; id: string }>('the command line');

test.before(async (context) => {
  context.rest = await startTestRest();
});
test.before.each(async (context) => {
  context.id = (await context.rest.newDevice()).id;
});
test.after(({ rest }) => rest.close());

const CLI = [process.execPath, '--import', 'tsx', 'server/cli.ts'];

const environment = (rest: TestRest): Record<string, string> => ({
  TWIN_URL: rest.url,
  TWIN_TOKEN: rest.token,
  TWIN_REGION: '',
});

interface Said {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function run(
  rest: TestRest,
  args: string[],
  { env = {}, stdin = '' }: { env?: Record<string, string>; stdin?: string } = {},
): Promise<Said> {
  const [file = '', ...before] = CLI;
  const child = spawn(file, [...before, ...args], {
    env: { ...process.env, ...environment(rest), ...env },
  });
  child.stdin.end(stdin);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, stdout, stderr };
}

/** What it prints, when it succeeds. */
async function say(rest: TestRest, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(rest, args);
  assert.is(stderr, '');
  assert.is(code, 0);
  return stdout;
}

/** What it says, when it fails. */
async function fail(rest: TestRest, args: string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await run(rest, args, { env });
  assert.is(stdout, '');
  assert.ok(code === 1 || code === 2);
  assert.match(stderr, /^twin: [^\n]+\n$/);
  return stderr.slice('twin: '.length, -1);
}

test('prints its help with --help, and without arguments', async ({ rest }) => {
  const help = await say(rest, '--help');
  for (const word of [
    'token create',
    'device list',
    'put DEVICE DOCUMENT DATA',
    'disarm PANEL',
    '--json',
    'TWIN_URL',
  ]) {
    assert.ok(help.includes(word), word);
  }
  assert.is(await say(rest), help);
  const ofArm = await say(rest, 'arm', '--help');
  for (const word of ['arm PANEL', '--mode MODE', 'Examples:', 'arm front-door'])
    assert.ok(ofArm.includes(word));
  assert.not.ok(ofArm.includes('token create'));
  assert.match(await say(rest, 'device', '--help'), /device create[\s\S]+device delete/);
});

test('says where its help is when the command line is wrong', async ({ rest, id }) => {
  assert.is(
    await fail(rest, ['arm', id, '--colour']),
    "Unknown option '--colour' (see npm run twin -- --help)",
  );
});

test('puts, patches and gets documents, from the command line and from stdin', async ({ rest, id }) => {
  assert.is(await say(rest, 'get', id), 'no documents\n');
  const put = await say(rest, 'put', id, 'settings', '{"a":1,"b":[2]}');
  assert.match(put, /^settings, version 1, \S+\n\{\n {2}"a": 1,\n/);
  await say(rest, 'patch', id, 'settings', '{"a":null}', '--if-version', '1');
  const fromStdin = await run(rest, ['put', id, 'other', '-'], { stdin: '{"n": 0.5}' });
  assert.is(fromStdin.code, 0);
  assert.is(await say(rest, 'get', id), 'other\nsettings\n');
  const document = JSON.parse(await say(rest, 'get', id, 'settings', '--json'));
  assert.is(document.version, 2);
  assert.equal(document.data, { b: [2] });
});

test('watches what is there, what changes and what goes', async ({ rest, id }) => {
  const path = `/twins/${id}/documents`;
  await rest.ask('PUT', `${path}/a`, { body: { data: { n: 1 } } });
  const program = startProgram([...CLI, 'watch', id, '--json'], environment(rest));
  const saw = (name: string, holds: string) =>
    program.line((line) =>
      line.includes(`"document_name":"${name}"`) && line.includes(holds) ? line : undefined,
    );
  await saw('a', '"version":1');
  await rest.ask('PATCH', `${path}/a`, { body: { data: { m: 2 } } });
  assert.equal(JSON.parse(await saw('a', '"version":2')).data, { n: 1, m: 2 });
  await rest.ask('PUT', `${path}/b`, { body: { data: {} } });
  await saw('b', '"version":1');
  await rest.ask('DELETE', `${path}/a`);
  await saw('a', '"deleted":true');
  await program.stop('SIGTERM');
  assert.is(program.lines.length, 4, program.lines.join('\n'));
});

test('watches only the document that is named', async ({ rest, id }) => {
  for (const name of ['a', 'b'])
    await rest.ask('PUT', `/twins/${id}/documents/${name}`, { body: { data: {} } });
  const program = startProgram([...CLI, 'watch', id, 'b'], environment(rest));
  assert.match(await program.line((line) => line), /^\S+ {2}b {2}version 1 {2}\{\}$/);
  await rest.ask('PUT', `/twins/${id}/documents/a`, { body: { data: { n: 1 } } });
  await rest.ask('PUT', `/twins/${id}/documents/b`, { body: { data: { n: 1 } } });
  await program.line((line) => (line.includes('version 2') ? line : undefined));
  await program.stop('SIGTERM');
  assert.equal(
    program.lines.map((line) => line.split('  ')[1]),
    ['b', 'b'],
  );
});

const onLinux = needsIn(test, process.platform === 'linux' ? 'tail' : 'tail of GNU');

onLinux('ends at once, and quietly, when the program that reads it has ended', async ({ rest, id }) => {
  await rest.ask('PUT', `/twins/${id}/documents/d`, { body: { data: {} } });
  const command = `${CLI.join(' ')} watch ${id} | head -n 1`;
  const program = startProgram(['sh', '-c', command], environment(rest));
  await program.ended;
  assert.is(program.lines.length, 1, program.lines.join('\n'));
});

test('says that a server does not answer, and at which address', async ({ rest, id }) => {
  const gone = await startTestRest();
  await gone.close();
  assert.match(
    await fail(rest, ['get', id], { TWIN_URL: gone.url }),
    `no answer from ${gone.url}: connect ECONNREFUSED`,
  );
  assert.match(await fail(rest, ['get', id, '--url', 'nowhere']), 'no answer from nowhere');
});

test.run();
