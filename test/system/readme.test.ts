/** Every command of the pages, typed as it stands there, with the real server and panel; and what it prints. */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fakeSdk } from '../firmware/desktop/board/fake-sdk.js';
import { needsIn } from '../programs.js';
import { type Page, readPages } from '../readme/pages.js';
import { openTerminal, type Running, type Terminal } from '../readme/terminal.js';
import { agrees, keysIn, type Step, stepsOf } from '../readme/transcript.js';
import { until } from '../until.js';

interface Context {
  terminal: Terminal;
  ports: Ports;
  /** Stands for the SDK that builds for a board. */
  sdk: string;
  /** `npm start`, once it runs. */
  demo?: Running;
  /** How many of the panel's states the page has shown. */
  shownStates: number;
}

interface Ports {
  http: number;
  mqtt: number;
  https: number;
  mqtts: number;
}

/** What cannot run here. */
const NOT_RUN: Record<string, string> = {
  'npx xs-dev@0.30.3 setup --target-branch 8.2.3': 'installs an SDK of several gigabytes',
  'git clone --branch v6.0 --depth 1 --recursive https://github.com/espressif/esp-idf ~/.local/share/esp32/esp-idf':
    'the same for ESP-IDF',
  'npx xs-dev@0.30.3 setup --device esp32': 'the same for ESP-IDF',
  'npm run bench -- rest-get rest-put': 'takes minutes; test/bench/smoke.test.ts runs the benchmark',
};

/** These run until Ctrl-C. */
const ENDLESS = /^npm start$|npm run -s (server|panel)|npm run -s twin -- watch|curl -sSN/;
const NEEDS_DEMO = /TOKEN|IOT_API|PANEL|npm run -s twin/;
const STATE_LINE = /^\d\d:\d\d:\d\d {2}/;

const OPTION = /(?<![\w-])--[a-z][a-z-]*/g;
/** Options of other programs. */
const OF_OTHERS = ['--cafile'];

const run = promisify(execFile);

/** In the place of the ports that are everybody's, and of what a person fills in. */
const here = (command: string, { mqtt, mqtts }: Ports): string =>
  command
    .replace('127.0.0.1:1883', `127.0.0.1:${mqtt}`)
    .replace('mosquitto_rr ', `mosquitto_rr -p ${mqtt} `)
    .replace('-p 8883', `-p ${mqtts}`)
    .replace('TWIN_TOKEN=… WIFI_PASSPHRASE=…', 'TWIN_TOKEN=$TOKEN WIFI_PASSPHRASE=eight-or-more')
    .replace('192.0.2.7:8883', `alarm.example:${mqtts}`);

const tests = suite<Context>('the pages');
const pages = readPages();
const commandsOf = (page: Page): string[] => page.blocks.flatMap(stepsOf).map(({ command }) => command);
const programsOf = (page: Page): string[] =>
  ['bash', 'curl', 'jq', 'mosquitto_rr', 'mosquitto_pub'].filter((program) =>
    `bash ${commandsOf(page).join(' ')}`.includes(program),
  );

tests.before.each(async (context) => {
  const [http, mqtt, https, mqtts] = await freePorts(4);
  const sdk = mkdtempSync(join(tmpdir(), 'twin-sdk-'));
  fakeSdk(sdk);
  Object.assign(context, {
    terminal: openTerminal(),
    ports: { http, mqtt, https, mqtts },
    sdk,
    demo: undefined,
    shownStates: 0,
  });
});
tests.after.each(async ({ terminal, sdk }) => {
  await terminal.close();
  rmSync(sdk, { recursive: true });
});

for (const page of pages.filter((one) => commandsOf(one).length > 0)) {
  needsIn(tests, ...programsOf(page))(`the commands of ${page.path} do what it says`, async (context) => {
    for (const block of page.blocks) {
      for (const step of stepsOf(block)) {
        if (step.command in NOT_RUN) continue;
        if (NEEDS_DEMO.test(step.command)) await startDemo(context);
        await perform(context, page, step);
      }
      if (block.language === 'text' && commandsOf(page).includes('npm start'))
        await press(context, keysIn(block.before), block.text.trimEnd().split('\n'));
    }
  });
}

tests('what is not run stands on a page', () => {
  const commands = pages.flatMap(commandsOf);
  assert.equal(
    Object.keys(NOT_RUN).filter((command) => !commands.includes(command)),
    [],
  );
});

/** Of each command that has options, all words that begin with two dashes in its help. */
async function optionsOf(command: string, directory: string): Promise<Set<string>> {
  const { stdout } = await run('npm', ['run', '-s', command, '--', '--help'], { cwd: directory });
  return new Set(stdout.match(OPTION));
}

tests('every option that a page names for a command stands in its help', async ({ terminal }) => {
  const known = new Map<string, Set<string>>();
  const named = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/npm run (?:-s )?(\w+) -- ([^`\n]+)/g)].flatMap(([, command = '', line = '']) =>
      (line.match(OPTION) ?? []).map((option) => ({ path, command, option })),
    ),
  );
  for (const { command } of named)
    if (!known.has(command)) known.set(command, await optionsOf(command, terminal.directory));
  const alone = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/`(--[a-z-]+)/g)].map(([, option = '']) => ({ path, option })),
  );
  const all = new Set([...known.values()].flatMap((options) => [...options]));
  assert.ok(named.length > 0 && alone.length > 0);
  assert.equal(
    [
      ...named.filter(({ command, option }) => !known.get(command)?.has(option)),
      ...alone.filter(({ option }) => !all.has(option) && !OF_OTHERS.includes(option)),
    ],
    [],
  );
});

async function startDemo(context: Context): Promise<Running> {
  context.demo ??= await demoOf(context);
  return context.demo;
}

/** `npm start` in one terminal, and the line that it asks to paste pasted into the other. */
async function demoOf({ terminal, ports }: Context): Promise<Running> {
  const demo = terminal.run('npm start', {
    TWIN_HTTP: `127.0.0.1:${ports.http}`,
    TWIN_MQTT: `127.0.0.1:${ports.mqtt}`,
    TWIN_HTTPS: `127.0.0.1:${ports.https}`,
    TWIN_MQTTS: `127.0.0.1:${ports.mqtts}`,
  });
  const exports = (lines: string[]) => lines.find((line) => line.startsWith('export TOKEN='));
  await demo.until((lines) => exports(lines) !== undefined);
  await terminal.run(exports(demo.lines) ?? '').ended;
  return demo;
}

async function perform(context: Context, page: Page, { command, shown, line }: Step): Promise<void> {
  const { terminal, ports, sdk } = context;
  const place = `${page.path}:${line}: ${command}`;
  const isDemo = command === 'npm start';
  const program = isDemo
    ? await startDemo(context)
    : terminal.run(here(command, ports), {
        TWIN_HTTP: '127.0.0.1:0',
        TWIN_MQTT: '127.0.0.1:0',
        TWIN_URL: `http://127.0.0.1:${ports.http}`,
        MODDABLE: sdk,
        IDF_PATH: join(sdk, 'idf'),
      });
  if (ENDLESS.test(command)) {
    await program
      .until((lines) => agrees(shown, lines, true))
      .catch((error: Error) => assert.unreachable(`${place}: ${error.message}`));
    if (!isDemo) await program.interrupt();
    return;
  }
  const code = await program.ended;
  assert.is(code, 0, `${place} ended with status ${code}:\n${program.lines.join('\n')}`);
  if (shown.length > 0)
    assert.ok(agrees(shown, program.lines), `${place} printed:\n${program.lines.join('\n')}`);
  // The server closes its connections, and listens again with what was restored.
  if (command.includes(' restore ')) await until(() => isServed(ports.http));
}

const isServed = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );

/** Presses the keys one after the other, as a person would who waits for what each does. */
async function press(context: Context, keys: string[], shown: string[]): Promise<void> {
  const demo = await startDemo(context);
  const statesOf = (lines: string[]) => lines.filter((line) => STATE_LINE.test(line));
  for (const key of keys) {
    const { length } = statesOf(demo.lines);
    demo.type(key);
    await demo.until((lines) => statesOf(lines).length > length);
  }
  await demo.until((lines) => agrees(shown, statesOf(lines).slice(context.shownStates), true));
  context.shownStates = statesOf(demo.lines).length;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) => {
          server.once('listening', () => resolve((server.address() as { port: number }).port));
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  return ports;
}

tests.run();
