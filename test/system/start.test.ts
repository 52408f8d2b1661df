/** The seed scenario: `npm start` as a person runs it, and the lines that it prints, pasted into a shell as they are. */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CurrentDocument } from '../../shared/panel.js';
import { needsIn } from '../programs.js';
import { until } from '../until.js';
import { type Program, startProgram } from './process.js';

interface Context {
  data: string;
  program: Program;
  /** Runs a line in bash with the printed variables exported; its output parsed. */
  paste(line: string): Promise<Record<string, unknown>>;
}

const GET_CURRENT =
  'curl -sS -H "X-Auth-Token: $TOKEN" $IOT_API/twins/$PANEL_DEVICE_ID/documents/current | jq';
const ARM = `curl -sS -H "X-Auth-Token: $TOKEN" -X PUT $IOT_API/twins/$PANEL_DEVICE_ID/documents/desired -d '{"data":{"alarm_armed":true}}' | jq`;
const DISARM = ARM.replace('true', 'false');
const GET_DEVICE = 'curl -sS -H "X-Auth-Token: $TOKEN" $IOT_API/devices/$PANEL_DEVICE_ID | jq';

const run = promisify(execFile);
const test = suite<Context>('npm start');
/** Its arguments are others on a Mac. */
const onTerminal = needsIn(test, process.platform === 'linux' ? 'script' : 'script of util-linux');
const scenario = needsIn(test, 'bash', 'curl', 'jq');

const START = [process.execPath, '--import', 'tsx', 'firmware/desktop/start.ts'];

const startDemo = (data: string, env: Record<string, string> = {}, command = START): Program =>
  startProgram(command, {
    TWIN_DATA: data,
    TWIN_HTTP: '127.0.0.1:0',
    TWIN_MQTT: '127.0.0.1:0',
    ...env,
  });

const exportLine = (program: Program): Promise<string> =>
  program.line((line) => (line.startsWith('export TOKEN=') ? line : undefined));

const says = (program: Program, text: string): Promise<string> =>
  program.line((line) => (line.includes(text) ? line : undefined));

test.before.each(async (context) => {
  context.data = mkdtempSync(join(tmpdir(), 'twin-start-'));
  context.program = startDemo(context.data);
  const variables = await exportLine(context.program);
  context.paste = async (line) => {
    const { stdout } = await run('bash', ['-c', `${variables}\n${line}`]);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
});
test.after.each(async ({ program, data }) => {
  await program.stop('SIGINT');
  rmSync(data, { recursive: true, force: true });
});

/** Before the panel's first report there is no document, and so nothing in it. */
const current = async ({ paste }: Context): Promise<Partial<CurrentDocument>> =>
  ((await paste(GET_CURRENT)).data ?? {}) as Partial<CurrentDocument>;

/** Asks again and again, as a person would, until `current` says so. */
const currentSays = (context: Context, wanted: Partial<CurrentDocument>): Promise<void> =>
  until(async () => {
    const shown = await current(context);
    return Object.entries(wanted).every(([key, value]) => shown[key as keyof CurrentDocument] === value);
  });

scenario('prints the lines of the documentation as they are', async ({ program }) => {
  await says(program, 'Keys:');
  for (const line of [GET_CURRENT, ARM, DISARM]) assert.ok(program.lines.includes(line), line);
});

/** What the token of a link may do. */
async function roleOf(link: string): Promise<string> {
  const { origin, hash } = new URL(link);
  const headers = { 'X-Auth-Token': hash.replace('#token=', '') };
  const answer = await fetch(`${origin}/iot/v1/regions/fr-par/tokens/self`, { headers });
  return ((await answer.json()) as { role: string }).role;
}

test('prints links that open the app: for phones with a token of the role app, and for the owner here', async ({
  program,
}) => {
  await says(program, 'Keys:');
  const links = program.lines.flatMap((line) => /^ {2}(http:\S+\/#token=\S+)$/.exec(line)?.[1] ?? []);
  assert.equal(await Promise.all(links.map(roleOf)), ['app', 'owner']);
  assert.match(await (await fetch(new URL(links[0] ?? '').origin)).text(), '<title>Alarm</title>');
});

const TWIN = `${process.execPath} --import tsx server/cli.ts`;

scenario(
  'the pasted line is enough for the command line, which takes the name of the panel',
  async ({ paste }) => {
    assert.equal(await paste(`${TWIN} arm panel --json | jq '{applied}'`), { applied: true });
  },
);

scenario('keys are taken from a pipe, as lines of one key or more', async (context) => {
  context.program.type('o');
  await says(context.program, 'front door open');
  context.program.type('cq');
  await says(context.program, 'front door closed');
  assert.is((await context.program.ended).code, 0);
});

scenario('a curl line arms the panel, a door rings it, and a power cut changes nothing', async (context) => {
  const { paste, program } = context;
  await currentSays(context, { alarm_armed: false });
  const first = await current(context);
  assert.ok(Object.hasOwn(first, 'last_update'));
  assert.equal([first.door_open, first.siren_ringing, first.state], [false, false, 'disarmed']);
  assert.equal(Object.keys(first.contacts ?? {}), ['front door', 'window', 'key switch']);

  assert.equal((await paste(ARM)).data, { alarm_armed: true });
  await says(program, '  armed, front door closed, window closed, siren silent');
  await currentSays(context, { alarm_armed: true, siren_ringing: false });

  program.type('open');
  await says(program, '  armed, front door open, window closed, SIREN RINGING');
  await currentSays(context, { alarm_armed: true, siren_ringing: true, door_open: true });

  program.type('power-off');
  await says(program, 'no power');
  await until(async () => (await paste(GET_DEVICE)).is_connected === false);
  const last = await current(context);
  assert.equal([last.alarm_armed, last.siren_ringing, last.door_open], [true, true, true]);
  assert.equal(await current(context), last);

  program.type('power-on');
  await until(async () => (await current(context)).last_update !== last.last_update);
  await currentSays(context, { alarm_armed: true, siren_ringing: true, door_open: true });

  assert.equal((await paste(DISARM)).data, { alarm_armed: false });
  await says(program, '  disarmed, front door open, window closed, siren silent');
  await currentSays(context, { alarm_armed: false, siren_ringing: false, door_open: true });
});

scenario('the words arm and disarm do what the curl lines do', async (context) => {
  context.program.type('arm');
  await currentSays(context, { alarm_armed: true });
  context.program.type('disarm');
  await currentSays(context, { alarm_armed: false });
  context.program.type('alarm');
  await says(context.program, '"alarm" is not one of the keys');
});

scenario('a second start finds the same device, token and armed panel', async (context) => {
  const { data, program, paste } = context;
  await paste(ARM);
  await currentSays(context, { alarm_armed: true });
  program.type('quit');
  assert.equal(await program.ended, { code: 0, signal: null });
  assert.is(statSync(join(data, 'demo.json')).mode & 0o777, 0o600);

  const before = await exportLine(program);
  context.program = startDemo(data);
  const again = await exportLine(context.program);
  const withoutPort = (line: string): string => line.replaceAll(/127\.0\.0\.1:\d+/g, '');
  assert.is(withoutPort(again), withoutPort(before));
  await says(context.program, '  armed, front door closed');
});

test('Ctrl-C ends the panel and the server and leaves nothing running', async ({ program }) => {
  const address = /http:\/\/[\d.:]+/.exec(await exportLine(program))?.[0] ?? '';
  assert.is((await fetch(`${address}/healthz`)).status, 200);
  assert.equal(await program.stop('SIGINT'), { code: 0, signal: null });
  const reached = await fetch(`${address}/healthz`).then(
    () => 'reached',
    ({ cause }: Error) => (cause as NodeJS.ErrnoException).code,
  );
  assert.is(reached, 'ECONNREFUSED');
});

onTerminal('on a terminal single keys do it', async (context) => {
  await context.program.stop('SIGINT');
  const start = START.join(' ');
  context.program = startDemo(context.data, {}, ['script', '-qfec', start, '/dev/null']);
  await exportLine(context.program);
  context.program.type('o');
  await says(context.program, 'door open');
  context.program.type('p');
  await says(context.program, 'no power');
  context.program.type('?q');
  await says(context.program, 'Stopped.');
  assert.is((await context.program.ended).code, 0);
});

test('npm passes the wish to end on to the program', async (context) => {
  await context.program.stop('SIGINT');
  context.program = startDemo(context.data, {}, ['npm', 'start']);
  await exportLine(context.program);
  assert.equal(await context.program.stop('SIGTERM'), { code: 0, signal: null });
  assert.ok(context.program.lines.includes('Stopped.'));
});

test('a data directory that cannot be made is one clear line and exit code 1', async ({ data }) => {
  const program = startDemo(join(data, 'demo.json', 'below'));
  assert.is((await program.ended).code, 1);
  const [, reason, ...more] = program.lines;
  assert.match(reason ?? '', /^alarm-twin: .*demo\.json/);
  assert.equal(more, ['Stopped.']);
});

test('a port that is taken is one clear line and exit code 1', async ({ data }) => {
  const occupant = createServer().listen(0, '127.0.0.1');
  await new Promise((listening) => occupant.once('listening', listening));
  const address = occupant.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const program = startDemo(join(data, 'other'), { TWIN_HTTP: `127.0.0.1:${port}` });
  assert.is((await program.ended).code, 1);
  occupant.close();
  const [, reason, ...more] = program.lines;
  assert.match(reason ?? '', String(port));
  assert.equal(more, ['Stopped.']);
});

test('a wrong option is one line that says where the help is, and nothing is started', async ({ data }) => {
  const { lines, ended } = startDemo(data, {}, [...START, '--frob']);
  assert.is((await ended).code, 2);
  assert.equal(lines, ["start: Unknown option '--frob' (see npm run start -- --help)"]);
});

test.run();
