/** `npm run panel`: one panel on the real XS engine, played from lines on stdin. */

import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { closestMatch } from 'leven';
import {
  ABOUT_OPTIONS,
  aboutText,
  exitStatus,
  failureText,
  required,
  UsageError,
  understood,
} from '../../shared/usage.js';
import type { PanelConfig } from '../config.js';
import { alarmWords } from './alarm-words.js';
import { NoSuchContact } from './contact-lines.js';
import { CONTACT_HELP, checkContacts, contactFrom } from './contact-option.js';
import {
  type DesktopPanel,
  type DesktopPanelOptions,
  type DesktopState,
  startPanel,
} from './desktop-panel.js';
import { type Fault, offlineText } from './offline.js';

const HELP = `One alarm panel on this machine: the firmware as it ships, on the XS engine.

  npm run panel -- --server mqtt://HOST:PORT --device ID --password PW --flash FILE

  --server URL          mqtt:// or mqtts://
  --device ID           the device's id
  --password PW         its password; or PANEL_PASSWORD, which no process list shows; not needed with --cert
  --flash FILE          what the panel keeps through a power cut
  --ca FILE             the server's authority, in PEM, for mqtts
  --cert FILE           the device's certificate, in PEM
  --key FILE            the certificate's key, in PEM
  --contact NAME:KIND   a contact, such as "front door:entry"; up to eight times. By default there is one, door:entry
  --door-inverted       a closed contact means an open door
  --siren-mode MODE     latch (default): rings until disarmed; follow: rings while the door is open
  --siren-cut-off S     seconds after which a latched siren stops, up to 86400; 0: never (default 180)
  --poll S              seconds between two looks at the desired document, 1 to 86400 (default 30)
  --json                one JSON line on stdout for each change of state
  --trace               what the firmware traces, on stderr
  --help, --version

${CONTACT_HELP}

Lines on stdin:
  open, close           the door, which is the first entry contact; with a name, that contact
  key                   presses a key and lets it go: the first one, or with a name that one
  cut NAME, short NAME  does so to the line of a contact, until it is opened or closed
  power-off, power-on, network-off, network-on, state, quit
The panel goes on when stdin ends; SIGTERM or SIGINT ends it.`;

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
  contact: { type: 'string', multiple: true },
  'door-inverted': { type: 'boolean' },
  'siren-mode': { type: 'string' },
  'siren-cut-off': { type: 'string' },
  poll: { type: 'string' },
  json: { type: 'boolean' },
  trace: { type: 'boolean' },
  ...ABOUT_OPTIONS,
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

type Deed = (panel: DesktopPanel, name: string) => unknown;

/** Words after which the name of a contact may come, and some after which it must. */
const CONTACT_WORDS = new Map<string, Deed>([
  ['open', (panel, name) => (name === '' ? panel.openDoor() : panel.set(name, 'open'))],
  ['close', (panel, name) => (name === '' ? panel.closeDoor() : panel.set(name, 'closed'))],
  ['key', (panel, name) => panel.press(name || undefined)],
  ['cut', (panel, name) => panel.set(name, 'cut')],
  ['short', (panel, name) => panel.set(name, 'shorted')],
]);

const WORDS = new Map<string, Deed>([
  ['power-off', (panel) => panel.powerOff()],
  ['power-on', (panel) => panel.powerOn()],
  ['network-off', (panel) => panel.networkOff()],
  ['network-on', (panel) => panel.networkOn()],
]);

async function main(): Promise<void> {
  const { values } = understood(() => parseArgs({ options: OPTIONS }), OPTIONS, closestMatch);
  const about = aboutText(values, HELP);
  if (about !== undefined) return void process.stdout.write(`${about}\n`);
  const panel = await startPanel(readOptions(values));
  const show = values.json ? showJson : showWords;
  const end = () => {
    panel.stop();
    process.exit(0);
  };
  panel.onChange(show);
  panel.onChange(({ online }) => {
    if (online) saidFault = '';
  });
  // Without power and with stdin at its end nothing else would keep this program alive.
  setInterval(() => undefined, A_DAY * 1000);
  // A line that a full disk does not take is lost; when the reader has gone, so does the panel.
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => code === 'EPIPE' && end());
  process.stderr.on('error', () => undefined);
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  for await (const line of createInterface(process.stdin)) {
    const text = line.trim();
    if (text === 'quit') end();
    else if (text === 'state') show(await panel.settled());
    else if (text !== '') await obey(panel, text);
  }
}

async function obey(panel: DesktopPanel, text: string): Promise<void> {
  const [word = ''] = text.split(' ', 1);
  const deed = WORDS.get(text) ?? CONTACT_WORDS.get(word);
  if (deed === undefined) return void complain(`"${text}" is none of the words; see --help`);
  try {
    await deed(panel, text.slice(word.length).trim());
  } catch (error) {
    if (!(error instanceof NoSuchContact)) throw error;
    complain(error.message);
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
      else if (SPOKEN.test(line)) complain(line);
    },
    onFault: (fault) => sayFault(server, fault),
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
  const inverted = values['door-inverted'];
  const contacts = values.contact?.map(contactFrom);
  if (contacts !== undefined) checkContacts(contacts);
  if (contacts !== undefined && inverted) throw new UsageError('--contact says what --door-inverted says');
  if (inverted) config.contacts = [{ name: 'door', kind: 'entry', inverted }];
  if (contacts !== undefined) config.contacts = contacts;
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

function showJson(state: DesktopState): void {
  const { armed, doorOpen, sirenRinging, online, power, mode, refused, contacts } = state;
  const line = {
    at: new Date().toISOString(),
    armed,
    door_open: doorOpen,
    siren_ringing: sirenRinging,
    online,
    power,
    state: state.state,
    mode,
    refused,
    contacts,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function showWords(state: DesktopState): void {
  const { power, contacts, sirenRinging, online } = state;
  const words = power
    ? [
        alarmWords(state),
        ...Object.entries(contacts).map(([name, line]) => `${name} ${line}`),
        sirenRinging ? 'SIREN RINGING' : 'siren silent',
        online ? 'online' : 'offline',
      ]
    : ['no power'];
  process.stdout.write(`${new Date().toLocaleTimeString()}  ${words.join(', ')}\n`);
}

/** Lines of the trace that a person should see. Why a connection failed is said in other words. */
const SPOKEN =
  /exception|flash:|refuses the subscription|XS engine|cannot connect|no answer in time|is silent/;

/** Why the panel is offline is said once, although it tries again and again. */
let saidFault = '';

function sayFault(server: string, fault: Fault): void {
  const text = offlineText(server, fault);
  if (text !== saidFault) complain(`offline: ${text}`);
  saidFault = text;
}

const complain = (line: string): boolean => process.stderr.write(`panel: ${line}\n`);

main().catch((error) => {
  process.stderr.write(`${failureText('panel', error)}\n`);
  process.exit(exitStatus(error));
});
