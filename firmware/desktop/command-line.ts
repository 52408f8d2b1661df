/** `npm run panel`: one panel on the real XS engine, played from lines on stdin. */

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { failureText, required, UsageError, understood } from '../../shared/usage.js';
import type { PanelConfig } from '../config.js';
import {
  type DesktopPanel,
  type DesktopPanelOptions,
  type DesktopState,
  startPanel,
} from './desktop-panel.js';

const HELP = `One alarm panel on this machine: the firmware as it ships, on the XS engine.

  npm run panel -- --server mqtt://HOST:PORT --device ID --password PW --flash FILE

  --server URL          mqtt:// or mqtts://
  --device ID           the device's id
  --password PW         its password; or PANEL_PASSWORD, which no process list shows; not needed with --cert
  --flash FILE          what the panel keeps through a power cut
  --ca FILE             the server's authority, in PEM, for mqtts
  --cert FILE           the device's certificate, in PEM
  --key FILE            the certificate's key, in PEM
  --door-inverted       a closed contact means an open door
  --siren-mode MODE     latch (default): rings until disarmed; follow: rings while the door is open
  --siren-cut-off S     seconds after which a latched siren stops, up to 86400; 0: never (default 180)
  --poll S              seconds between two looks at the desired document, 1 to 86400 (default 30)
  --json                one JSON line on stdout for each change of state
  --trace               what the firmware traces, on stderr
  --help

Lines on stdin, one word each: open, close, power-off, power-on, network-off, network-on, state, quit.
The panel goes on when stdin ends; SIGTERM or SIGINT ends it.
`;

/** In seconds. */
const A_DAY = 24 * 60 * 60;
const DECIMAL = /^\d+(\.\d+)?$/;

const OPTIONS = {
  server: { type: 'string' },
  device: { type: 'string' },
  password: { type: 'string' },
  flash: { type: 'string' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  'door-inverted': { type: 'boolean' },
  'siren-mode': { type: 'string' },
  'siren-cut-off': { type: 'string' },
  poll: { type: 'string' },
  json: { type: 'boolean' },
  trace: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

const WORDS = new Map<string, (panel: DesktopPanel) => void>([
  ['open', (panel) => panel.openDoor()],
  ['close', (panel) => panel.closeDoor()],
  ['power-off', (panel) => panel.powerOff()],
  ['power-on', (panel) => panel.powerOn()],
  ['network-off', (panel) => panel.networkOff()],
  ['network-on', (panel) => panel.networkOn()],
]);

async function main(): Promise<void> {
  const { values } = understood(() => parseArgs({ options: OPTIONS }));
  if (values.help) return void process.stdout.write(HELP);
  const panel = await startPanel(readOptions(values));
  const show = values.json ? showJson : showWords;
  const end = () => {
    panel.stop();
    process.exit(0);
  };
  panel.onChange(show);
  // Without power and with stdin at its end nothing else would keep this program alive.
  setInterval(() => undefined, A_DAY * 1000);
  // A line that a full disk does not take is lost; when the reader has gone, so does the panel.
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => code === 'EPIPE' && end());
  process.stderr.on('error', () => undefined);
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  for await (const line of createInterface(process.stdin)) {
    const word = line.trim();
    if (word === 'quit') end();
    else if (word === 'state') show(await panel.settled());
    else if (WORDS.has(word)) WORDS.get(word)?.(panel);
    else if (word !== '') complain(`"${word}" is none of the words; see --help`);
  }
}

function readOptions(values: Values): DesktopPanelOptions {
  const { ca, cert, key } = values;
  const server = readServer(required('server', values.server));
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key go together');
  if ((ca ?? cert) !== undefined && !server.startsWith('mqtts:'))
    throw new UsageError('--ca, --cert and --key are for mqtts://');
  const password = values.password || process.env.PANEL_PASSWORD;
  const tls = Object.entries({ ca, cert, key }).flatMap(([name, path]) =>
    path === undefined ? [] : [[name, readPem(path)]],
  );
  return {
    server,
    device: required('device', values.device),
    password: cert === undefined ? required('password', password) : (password ?? ''),
    flash: required('flash', values.flash),
    config: readConfig(values),
    tls: Object.fromEntries(tls),
    trace: (line) => {
      if (values.trace) process.stderr.write(`${line}\n`);
      else if (/exception|flash:|refuses|XS engine|cannot connect/.test(line)) complain(line);
    },
  };
}

function readServer(server: string): string {
  if (!URL.canParse(server) || !/^mqtts?:$/.test(new URL(server).protocol)) {
    throw new UsageError('--server: expected mqtt://host:port or mqtts://host:port');
  }
  return server;
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function readConfig(values: Values): Partial<PanelConfig> {
  const config: Partial<PanelConfig> = {};
  const mode = values['siren-mode'];
  if (values['door-inverted']) config.doorInverted = true;
  if (mode === 'latch' || mode === 'follow') config.sirenMode = mode;
  else if (mode !== undefined) throw new UsageError('--siren-mode: expected latch or follow');
  if (values['siren-cut-off'] !== undefined)
    config.sirenCutOff = seconds('siren-cut-off', values['siren-cut-off'], 0);
  if (values.poll !== undefined) config.pollInterval = seconds('poll', values.poll, 1);
  return config;
}

/** In milliseconds, and none where none was given. */
function seconds(name: string, given: string, least: number): number {
  const number = Number(given);
  const duration = Math.round(number * 1000);
  const isVanishing = number > 0 && duration === 0;
  if (DECIMAL.test(given) && number >= least && number <= A_DAY && !isVanishing) return duration;
  throw new UsageError(`--${name}: expected seconds, ${least} or more and at most ${A_DAY}`);
}

function showJson({ armed, doorOpen, sirenRinging, online, power }: DesktopState): void {
  const line = {
    at: new Date().toISOString(),
    armed,
    door_open: doorOpen,
    siren_ringing: sirenRinging,
    online,
    power,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function showWords({ power, armed, doorOpen, sirenRinging, online }: DesktopState): void {
  const words = power
    ? [
        armed ? 'armed' : 'disarmed',
        `door ${doorOpen ? 'open' : 'closed'}`,
        sirenRinging ? 'SIREN' : 'quiet',
        online ? 'online' : 'offline',
      ]
    : ['no power'];
  process.stdout.write(`${new Date().toLocaleTimeString()}  ${words.join(', ')}\n`);
}

const complain = (line: string): boolean => process.stderr.write(`panel: ${line}\n`);

main().catch((error) => {
  process.stderr.write(`${failureText('panel', error)}\n`);
  process.exit(1);
});
