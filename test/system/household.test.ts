/** Days of a household with several contacts: the panel on XS, the server and the command line, each by its command. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CurrentDocument, DesiredDocument } from '../../shared/panel.js';
import { until } from '../until.js';
import { type Program, startProgram } from './process.js';
import { type Credentials, createDevice, type Server, startServer } from './server.js';

interface Line {
  state: string;
  mode: string;
  siren_ringing: boolean;
  online: boolean;
  power: boolean;
  contacts: Record<string, string>;
}

interface Context {
  server: Server;
  device: Credentials;
  directory: string;
  panel: Program;
  /** Types words and waits for the first line after them for which this holds. */
  after: (words: string[], predicate: (line: Line) => boolean) => Promise<Line>;
  /** Runs the command line. */
  twin: (...args: string[]) => Promise<{ code: number | null; said: string }>;
  /** Sets delays, and arms by the command line. */
  arm: (
    delays: Partial<DesiredDocument>,
    ...options: string[]
  ) => Promise<{ code: number | null; said: string }>;
}

const test = suite<Context>('a household');

const ON_NODE = [process.execPath, '--import', 'tsx'];
const CONTACTS = [
  ...['--contact', 'front door:entry', '--contact', 'window:instant:away', '--contact', 'cellar:instant'],
  ...['--contact', 'lid:always:resistor', '--contact', 'key switch:key'],
];

test.before(async (context) => {
  context.server = await startServer();
});
test.before.each(async (context) => {
  const { server } = context;
  const device = await createDevice(server, 'panel');
  const directory = mkdtempSync(join(tmpdir(), 'household-'));
  const panel = startProgram([
    ...[...ON_NODE, 'firmware/desktop/command-line.ts', '--json', ...CONTACTS],
    ...['--server', server.mqtt, '--device', device.id, '--password', device.password],
    ...['--flash', join(directory, 'flash.json')],
  ]);
  Object.assign(context, { device, directory, panel });
  context.after = async (words, predicate) => {
    const { length } = panel.lines;
    for (const word of words) panel.type(word);
    let found: Line | undefined;
    await until(() => {
      found = panel.lines
        .slice(length)
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Line)
        .find(predicate);
      return found !== undefined;
    });
    return found as Line;
  };
  context.arm = async (delays, ...options) => {
    const data = { exit_delay: 0, entry_delay: 0, ...delays };
    const path = `/twins/${device.id}/documents/desired`;
    const known = (await server.api(path)).status === 200;
    const body = JSON.stringify({ data: known ? data : { alarm_armed: false, ...data } });
    assert.ok((await server.api(path, { method: known ? 'PATCH' : 'PUT', body })).ok);
    return context.twin('arm', device.id, ...options);
  };
  context.twin = async (...args) => {
    const program = startProgram([...ON_NODE, 'server/cli.ts', ...args], {
      TWIN_URL: server.http,
      TWIN_TOKEN: server.token,
    });
    const { code } = await program.ended;
    return { code, said: program.lines.join('\n') };
  };
  await context.after([], ({ online }) => online);
  // The key counts once the contacts have settled, which a change of another one shows.
  await context.after(['open cellar'], ({ contacts }) => contacts.cellar === 'open');
  await context.after(['close cellar'], ({ contacts }) => contacts.cellar === 'closed');
});
test.after.each(async ({ panel, directory }) => {
  await panel.stop('SIGKILL');
  rmSync(directory, { recursive: true });
});
test.after(async ({ server }) => {
  await server.stop();
});

async function documentOf<T>({ server, device }: Context, name: string): Promise<T> {
  const response = await server.api(`/twins/${device.id}/documents/${name}`);
  return ((await response.json()) as { data: T }).data;
}

const currentSays = (context: Context, holds: (current: CurrentDocument) => boolean): Promise<void> =>
  until(async () => holds(await documentOf<CurrentDocument>(context, 'current')));

const is =
  (state: string) =>
  (line: Line): boolean =>
    line.state === state && line.power;

const everRang = ({ panel }: Context): boolean =>
  panel.lines.some((line) => line.includes('"siren_ringing":true'));

test('leaves by the exit delay, comes home by the entry delay, and disarms at the key', async (context) => {
  const { after, arm } = context;
  const armed = after([], is('armed'));
  assert.is((await arm({ exit_delay: 2, entry_delay: 60 })).code, 0);
  await after(['open', 'close'], ({ contacts }) => contacts['front door'] === 'closed');
  await armed;
  await after(['open'], is('pending'));
  await after(['key'], is('disarmed'));
  assert.not.ok(everRang(context));
  await currentSays(context, ({ state }) => state === 'disarmed');
  assert.is((await documentOf<DesiredDocument>(context, 'desired')).alarm_armed, false);
});

test('comes home and does nothing: it rings when the entry delay is over, and the key silences it', async (context) => {
  const { after, arm } = context;
  await arm({ entry_delay: 1 });
  await after(['open'], is('pending'));
  await after([], ({ state, siren_ringing }) => state === 'triggered' && siren_ringing);
  await after(['key'], ({ state, siren_ringing }) => state === 'disarmed' && !siren_ringing);
  await currentSays(context, ({ last_alarm }) => last_alarm?.contacts.join() === 'front door');
});

test('stays at home with its window open, which does not count in that mode; another one does', async (context) => {
  const { after, arm } = context;
  await after(['open window'], ({ contacts }) => contacts.window === 'open');
  assert.is((await arm({}, '--mode', 'home')).code, 0);
  await after(['state'], ({ state, mode }) => state === 'armed' && mode === 'home');
  await after(['key'], is('disarmed'));
  const refused = await arm({}, '--mode', 'away');
  assert.is(refused.code, 4);
  assert.match(refused.said, 'window');
  await currentSays(context, ({ refused }) => refused?.contacts?.join() === 'window');
  assert.is((await arm({}, '--mode', 'away', '--bypass', 'window')).code, 0);
  await currentSays(context, ({ contacts }) => contacts?.window?.bypassed === true);
  await after(['close window', 'open window', 'open cellar'], ({ siren_ringing }) => siren_ringing);
  await currentSays(context, ({ last_alarm }) => last_alarm?.contacts.join() === 'cellar');
});

test('a window that opens during the exit delay ends it, and the panel stays disarmed', async (context) => {
  const { after, arm } = context;
  await arm({ exit_delay: 60 });
  await after(['open window'], is('disarmed'));
  await currentSays(
    context,
    ({ state, refused }) => state === 'disarmed' && refused?.contacts?.join() === 'window',
  );
  assert.not.ok(everRang(context));
});

const CUTS: [state: string, delays: Partial<DesiredDocument>, words: string[], then: string][] = [
  ['arming', { exit_delay: 3 }, [], 'armed'],
  ['armed', {}, [], 'armed'],
  ['pending', { entry_delay: 2 }, ['open'], 'triggered'],
  ['triggered', {}, ['open cellar'], 'triggered'],
];
for (const [state, delays, words, then] of CUTS) {
  test(`a power cut while it is ${state} leaves it ${then}, without a network as well`, async (context) => {
    const { after, arm, twin, device } = context;
    await arm(delays);
    await after([...words, 'state'], is(state));
    await after(['power-off'], ({ power }) => !power);
    const line = await after(['network-off', 'power-on'], is(then));
    assert.is(line.siren_ringing, then === 'triggered');
    // Meanwhile the contacts have settled: the key counts from then on.
    assert.match((await twin('status', device.id)).said, /no contact/);
    await after(['key'], is('disarmed'));
    await after(['network-on'], ({ online }) => online);
    await currentSays(context, (current) => current.state === 'disarmed' && !current.alarm_armed);
  });
}

test('a line that is cut rings in a disarmed house, and so does one that is shorted, with another fault', async (context) => {
  const { after } = context;
  for (const [word, fault] of [
    ['cut', 'cut'],
    ['short', 'shorted'],
  ] as const) {
    await after([`${word} lid`], ({ siren_ringing, contacts }) => siren_ringing && contacts.lid === fault);
    await currentSays(context, ({ contacts }) => contacts?.lid?.fault === fault);
    await after(['key'], ({ siren_ringing }) => !siren_ringing);
    await after(['close lid'], ({ contacts }) => contacts.lid === 'closed');
  }
});

test('a key that is stuck closed does one thing, and nothing more through a power cut', async (context) => {
  const { after } = context;
  await after(['close key switch'], is('armed'));
  await after(['power-off'], ({ power }) => !power);
  await after(['power-on'], is('armed'));
  await after(
    ['open key switch', 'state'],
    ({ contacts, state }) => contacts['key switch'] === 'open' && state === 'armed',
  );
  await after(['key'], is('disarmed'));
});

test('what the key does without a network reaches the server afterwards, and an older order does not undo it', async (context) => {
  const { after, arm } = context;
  await arm({});
  await after(['network-off'], ({ online }) => !online);
  await after(['key'], is('disarmed'));
  await after(['network-on'], ({ online }) => online);
  await until(async () => !(await documentOf<DesiredDocument>(context, 'desired')).alarm_armed);
  await currentSays(context, ({ state }) => state === 'disarmed');
  assert.is((await after(['state'], () => true)).state, 'disarmed');
});

test.run();
