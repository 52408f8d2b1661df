/** `npm run panel` as the process it is. */

import { existsSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Program, startProgram } from '../../system/process.js';
import { until } from '../../until.js';
import { ScriptedServer } from './scripted-server.js';
import { Workbench } from './workbench.js';

interface Context {
  bench: Workbench;
  server: ScriptedServer;
  /** The options of a panel that works, then others; of two the last one counts. */
  start: (...options: string[]) => Program;
  programs: Program[];
}

const test = suite<Context>('npm run panel');

const PANEL = [process.execPath, '--import', 'tsx', 'firmware/desktop/command-line.ts'];

test.before.each(async (context) => {
  const bench = new Workbench();
  const server = await ScriptedServer.listen();
  const programs: Program[] = [];
  Object.assign(context, { bench, server, programs });
  context.start = (...options) => {
    const flash = bench.path('flash.json');
    const working = ['--server', server.url, '--device', 'd', '--password', 'p', '--flash', flash];
    const program = startProgram([...PANEL, ...working, ...options]);
    programs.push(program);
    return program;
  };
});
test.after.each(async ({ bench, server, programs }) => {
  for (const program of programs) await program.stop('SIGKILL');
  bench.end();
  await server.close();
});

const WITHOUT: [string, string[]][] = [
  ['server', ['--server', '']],
  ['device', ['--device', '']],
  ['password', ['--password', '']],
  ['flash', ['--flash', '']],
];
for (const [name, options] of WITHOUT) {
  test(`without --${name} it says so and ends with 2`, async ({ start }) => {
    const program = start(...options);
    assert.equal(await program.ended, { code: 2, signal: null });
    assert.equal(program.lines, [`panel: --${name} is missing (see npm run panel -- --help)`]);
  });
}

const SECURE = ['--server', 'mqtts://127.0.0.1'];

const WRONG: [string, string[], string | RegExp][] = [
  ['an option that there is not', ['--colour', 'red'], "Unknown option '--colour'"],
  ['a server that is no MQTT', ['--server', 'http://127.0.0.1'], '--server: expected mqtt://'],
  ['a siren mode that there is not', ['--siren-mode', 'loud'], '--siren-mode: expected latch or follow'],
  ['a contact without a kind', ['--contact', 'door'], '--contact "door": expected NAME:KIND'],
  ['a kind that there is not', ['--contact', 'door:exit'], '--contact "door": expected as its kind entry'],
  [
    'a mode that there is not',
    ['--contact', 'door:entry:holiday'],
    '"holiday" is neither a mode (away, home, night)',
  ],
  [
    'two contacts with one name',
    ['--contact=a:entry', '--contact=a:instant'],
    'two contacts have the name "a"',
  ],
  ['nine contacts', Array(9).fill('--contact=a:entry'), 'a panel has 1 to 8 contacts'],
  [
    'a door that is said twice',
    ['--contact', 'a:entry', '--door-inverted'],
    '--contact says what --door-inverted',
  ],
  ['seconds that are none', ['--siren-cut-off', 'soon'], '--siren-cut-off: expected seconds, 0 or more'],
  ['seconds beyond a day', ['--siren-cut-off', '1e306'], '--siren-cut-off: expected seconds, 0 or more'],
  ['seconds beyond a day by one', ['--siren-cut-off', '86401'], 'and at most 86400'],
  ['seconds that vanish', ['--siren-cut-off', '0.0001'], '--siren-cut-off: expected seconds'],
  ['a poll of years', ['--poll', '99999999999'], '--poll: expected seconds, 1 or more'],
  ['a poll of nothing', ['--poll', '0'], '--poll: expected seconds, 1 or more'],
  ['a file that is not there', [...SECURE, '--ca', 'no-such-file.pem'], /ENOENT.*no-such-file\.pem/],
  ['a certificate without its key', [...SECURE, '--cert', 'package.json'], '--cert and --key go together'],
  ['a key without its certificate', [...SECURE, '--key', 'package.json'], '--cert and --key go together'],
  ['an authority for no TLS', ['--ca', 'package.json'], '--ca, --cert and --key are for mqtts://'],
];
for (const [name, options, answer] of WRONG) {
  test(`${name} is a clear error, and it ends with 2`, async ({ start }) => {
    const program = start(...options);
    assert.equal(await program.ended, { code: 2, signal: null });
    assert.match(program.lines[0] ?? '', answer);
  });
}

test('a key that is no PEM is a clear error, and it ends with 1', async ({ start }) => {
  const program = start(...SECURE, '--cert', 'package.json', '--key', 'package.json');
  assert.equal(await program.ended, { code: 1, signal: null });
  assert.match(program.lines[0] ?? '', /PEM|DECODER/);
});

test('a flash file that is damaged is named, and it ends with 1', async ({ bench, start }) => {
  writeFileSync(bench.path('flash.json'), 'damaged');
  const program = start();
  assert.equal(await program.ended, { code: 1, signal: null });
  assert.match(program.lines.join(), `${bench.path('flash.json')} is no flash file`);
});

test('--help says what there is, and ends with 0', async ({ start }) => {
  const program = start('--help');
  assert.equal(await program.ended, { code: 0, signal: null });
  for (const word of ['--server', '--flash', '--json', 'open', 'power-off', 'network-on', 'quit'])
    assert.match(program.lines.join('\n'), word);
});

interface Line {
  state: string;
  contacts: Record<string, string>;
  at: string;
  armed: boolean;
  door_open: boolean;
  siren_ringing: boolean;
  online: boolean;
  power: boolean;
}

const state = (program: Program, predicate: (line: Line) => boolean): Promise<Line> =>
  program.line((text) => {
    const line = text.startsWith('{') ? (JSON.parse(text) as Line) : undefined;
    return line !== undefined && predicate(line) ? line : undefined;
  });

test('the words on stdin move the panel, and --json tells each change in one line', async ({
  server,
  start,
}) => {
  server.armed = true;
  const program = start('--json');
  const line = await state(program, ({ armed, online }) => armed && online);
  assert.equal(Object.keys(line), [
    'at',
    'armed',
    'door_open',
    'siren_ringing',
    'online',
    'power',
    'state',
    'mode',
    'refused',
    'contacts',
  ]);
  assert.is(new Date(line.at).toISOString(), line.at);
  assert.equal(
    { ...line, at: '' },
    {
      ...{ at: '', armed: true, door_open: false, siren_ringing: false, online: true, power: true },
      ...{ state: 'armed', mode: 'away', refused: false, contacts: { door: 'closed' } },
    },
  );
  program.type('open');
  await state(program, ({ siren_ringing, door_open }) => siren_ringing && door_open);
  program.type('close');
  await state(program, ({ siren_ringing, door_open }) => siren_ringing && !door_open);
  program.type('network-off');
  await state(program, ({ siren_ringing, online }) => siren_ringing && !online);
  program.type('power-off');
  await state(program, ({ siren_ringing, armed, power }) => !siren_ringing && armed && !power);
  program.type('power-on');
  program.type('network-on');
  await server.session(1, 'subscribe');
  const count = program.lines.length;
  program.type('state');
  await until(() => program.lines.length > count);
  program.type('quit');
  assert.equal(await program.ended, { code: 0, signal: null });
  assert.ok(
    program.lines.every((text) => text.startsWith('{')),
    program.lines.join('\n'),
  );
});

test('the word state answers when the words before it have had their effect', async ({ start }) => {
  const program = start('--json');
  await state(program, ({ online }) => online);
  const doors: boolean[] = [];
  for (const word of ['open', 'close', 'open', 'close']) {
    const count = program.lines.length;
    program.type(`${word}\nstate`);
    // The change itself is a line, and so is the answer.
    await until(() => program.lines.length >= count + 2);
    doors.push(JSON.parse(program.lines.at(-1) ?? '').door_open);
  }
  assert.equal(doors, [true, false, true, false]);
});

test('it says once why it is offline, although it tries again and again', async ({ server, start }) => {
  server.returnCode = 4;
  const program = start('--poll', '1');
  const said = () =>
    program.lines.filter((line) => line.startsWith('panel: offline: bad user name or password'));
  await server.session(1, 'connect');
  assert.is(said().length, 1, program.lines.join('\n'));
  server.returnCode = 0;
  await program.line((line) => line.includes(' online') || undefined);
  assert.is(said().length, 1);
});

const THREE = [
  '--contact',
  'front door:entry',
  '--contact',
  'window:instant:resistor',
  '--contact',
  'hall:key',
];

test('contacts are moved by their names, and --json tells what the panel sees of each', async ({ start }) => {
  const program = start('--json', ...THREE);
  await state(program, ({ online }) => online);
  const walk = [
    ['open', 'open,closed,open'],
    ['open window', 'open,open,open'],
    ['close front door', 'closed,open,open'],
    ['cut window', 'closed,cut,open'],
    ['close window', 'closed,closed,open'],
    ['short window', 'closed,shorted,open'],
    ['close window', 'closed,closed,open'],
    ['close hall', 'closed,closed,closed'],
    ['open hall', 'closed,closed,open'],
  ] as const;
  for (const [word, wanted] of walk) {
    const count = program.lines.length;
    program.type(`${word}\nstate`);
    // The change itself is a line, and so is the answer.
    await until(() => program.lines.length >= count + 2);
    const { contacts } = JSON.parse(program.lines.at(-1) ?? '') as Line;
    assert.is(Object.values(contacts).join(), wanted, word);
  }
});

test('the word key presses the first key, or the one that is named, and lets it go', async ({ start }) => {
  const program = start('--json', ...THREE, '--contact', 'garage:key');
  await state(program, ({ online }) => online);
  for (const [word, name] of [
    ['key', 'hall'],
    ['key garage', 'garage'],
  ] as const) {
    const { length } = program.lines;
    program.type(word);
    const seen = () => program.lines.slice(length).map((line) => (JSON.parse(line) as Line).contacts[name]);
    await until(() => seen().includes('closed') && seen().at(-1) === 'open');
  }
});

test('a contact that there is not is named in one line with those that there are, and it goes on', async ({
  start,
}) => {
  const program = start(...THREE);
  const there = 'front door (entry), window (instant), hall (key)';
  for (const word of ['open', 'close', 'key', 'cut', 'short']) {
    program.type(`${word} cellar`);
    await until(() => program.lines.some((line) => line === `panel: there is no contact "cellar": ${there}`));
    program.lines.length = 0;
  }
  for (const word of ['cut', 'power-off window', 'opens', 'state window']) {
    program.type(word);
    await until(() => program.lines.some((line) => line.startsWith('panel: ')));
    program.lines.length = 0;
  }
  program.type('open front door');
  await program.line((line) => line.includes('front door open') || undefined);
});

test('a panel without a door or a key says so when one is to be moved', async ({ start }) => {
  const program = start('--contact', 'window:instant');
  for (const [word, kind] of [
    ['open', 'entry'],
    ['key', 'key'],
  ]) {
    program.type(String(word));
    await program.line(
      (line) => line.includes(`there is no contact of the kind ${kind}: window (instant)`) || undefined,
    );
  }
});

test('two panels on one flash file: the second says so and ends; when the first is killed, the next one starts', async ({
  bench,
  start,
}) => {
  const first = start('--json');
  await state(first, ({ power }) => power);
  const second = start('--json');
  assert.equal(await second.ended, { code: 1, signal: null });
  assert.equal(second.lines, [`panel: ${bench.path('flash.json')} is in use by another panel`]);
  await first.stop('SIGKILL');
  await state(start('--json'), ({ power }) => power);
});

test('a word that it does not know is said so, and it goes on', async ({ start }) => {
  const program = start();
  program.type('explode');
  program.type('');
  program.type('constructor');
  await program.line((line) => line.includes('"constructor" is none of the words') || undefined);
  assert.ok(program.lines.includes('panel: "explode" is none of the words; see --help'));
  program.type('open');
  await program.line((line) => line.includes('door open') || undefined);
});

test('the end of stdin does not end it, not even without power; SIGTERM does, with 0', async ({
  server,
  start,
}) => {
  const program = start();
  program.type('open');
  await server.session(0, 'subscribe');
  program.type('power-off');
  program.endInput();
  await program.line((line) => line.includes('no power') || undefined);
  await until(() => server.sessions[0]?.socket.destroyed === true);
  assert.equal(await program.stop('SIGTERM'), { code: 0, signal: null });
});

(existsSync('/dev/full') ? test : test.skip)(
  'a full disk under its lines loses them, and the panel goes on',
  async ({ bench, server }) => {
    const options = ['--server', server.url, '--device', 'd', '--flash', bench.path('flash.json')];
    const onFullDisk = ['sh', '-c', 'exec "$@" > /dev/full', 'sh', ...PANEL, ...options, '--password', 'p'];
    const program = startProgram(onFullDisk);
    await server.session(0, 'subscribe');
    for (const word of ['open', 'state', 'close', 'state', 'nonsense']) program.type(word);
    await program.line((line) => line.includes('"nonsense" is none of the words') || undefined);
    assert.equal(await program.stop('SIGTERM'), { code: 0, signal: null });
  },
);

test('the password may come from the environment', async ({ bench, server }) => {
  const options = ['--server', server.url, '--device', 'd', '--flash', bench.path('flash.json')];
  const program = startProgram([...PANEL, ...options], { PANEL_PASSWORD: 'from there' });
  const [packet] = (await server.session(0, 'connect')).packets;
  assert.is(packet?.cmd === 'connect' && String(packet.password), 'from there');
  assert.equal(await program.stop('SIGINT'), { code: 0, signal: null });
});

test.run();
