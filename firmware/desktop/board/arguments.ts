/** The command line of `npm run flash`, parsed and checked. */

import { parseArgs } from 'node:util';
import { closestMatch } from 'leven';
import { UUID } from '../../../shared/document.js';
import { apiBase, DEFAULT_REGION, DEFAULT_URL } from '../../../shared/rest.js';
import {
  ABOUT_OPTIONS,
  aboutText,
  matching,
  required,
  UsageError,
  understood,
} from '../../../shared/usage.js';
import type { PanelConfig } from '../../config.js';
import {
  CONTACT_HELP,
  checkContacts,
  LAST_GPIO,
  type WiredContact,
  wiredContactFrom,
} from '../contact-option.js';

/** How the board is wired, in the names of its config. */
interface Wiring {
  doorPin?: number;
  sirenPin?: number;
  ledPin?: number;
  beeperPin?: number;
  sirenActiveLow?: true;
  ledActiveLow?: true;
  beeperActiveLow?: true;
}

export interface FlashOptions {
  /** As `mcconfig` has it, such as `esp32/nodemcu`. */
  target: string;
  /** The serial port; the SDK's choice when absent. */
  port: string | undefined;
  /** Of the panel, its device and its file. */
  name: string;
  /** The id of an existing device; by default the one in the file, or a new one. */
  device: string | undefined;
  /** `mqtts://host:port` or `mqtt://host:port`; by default the address that the server gives. */
  server: string | undefined;
  /** The base of REST, and the token. */
  api: string;
  token: string | undefined;
  wifi: { ssid: string; passphrase: string } | undefined;
  wiring: Wiring;
  config: Partial<Omit<PanelConfig, 'contacts'>> & {
    contacts?: readonly WiredContact[];
    timeServer?: string;
  };
  /** Makes new credentials, also for a device that has some. */
  renew: boolean;
  debug: boolean;
  /** A release build that traces to the serial port. */
  console: boolean;
  /** The file of the authority that the board trusts, in PEM; the server's own when absent. */
  ca: string | undefined;
  dryRun: boolean;
}

const HELP = `Builds the panel's program and puts it onto a board. Makes a device for it on the server.

  npm run flash -- --target esp32/nodemcu --port /dev/ttyUSB0 --ssid WIFI

  --target T            esp32/nodemcu, esp32/esp32c3, esp32/esp32s3, any other of the SDK, or sim/nodemcu
  --port PORT           the serial port of the board; by default the SDK looks for one
  --ssid NAME           the Wi-Fi
  --passphrase TEXT     its passphrase; or set WIFI_PASSPHRASE, which no process list shows
  --open                the Wi-Fi has no passphrase
  --name NAME           of the panel (default front-door); its file is manifests/local/NAME/manifest.json
  --device ID           an existing device; it gets new credentials
  --renew               new credentials for the device of an earlier flash
  --server URL          mqtts://HOST:PORT or mqtt://HOST:PORT as the board reaches it; by default
                        the address that the server gives
  --ca FILE             the certificate, in PEM, of the authority that signed the server's; by default
                        the server's own authority. Needed for a server with TWIN_TLS_CERT
  --url URL             the server's REST API; by default TWIN_URL, or ${DEFAULT_URL}
  --token UUID          an owner's token; by default TWIN_TOKEN
  --region NAME         by default TWIN_REGION, or ${DEFAULT_REGION}
  --contact NAME:GPIO:KIND
                        a contact, such as "front door:27:entry"; up to eight times. By default there is
                        one, the door, at the GPIO in manifests/esp32.json
  --door-pin N          GPIOs, instead of those in manifests/esp32.json; the beeper is optional
  --siren-pin N
  --led-pin N
  --beeper-pin N
  --siren-active-low    the siren is on while its pin is low, as with most relay boards
  --led-active-low
  --beeper-active-low
  --door-inverted       a closed contact means an open door
  --siren-mode MODE     latch (default): rings until disarmed; follow: rings while the door is open
  --siren-cut-off S     seconds after which a latched siren stops, 0: never (default 180)
  --time-server HOST    an NTP server, such as the router; by default the server itself tells the time
  --console             a release build that traces to the serial port, at 115,200 baud
  --debug               a build that traces to xsbug and stops at exceptions
  --dry-run             shows what would be done, and does nothing
  --help, --version

${CONTACT_HELP}`;

const OPTIONS = {
  target: { type: 'string' },
  port: { type: 'string' },
  ssid: { type: 'string' },
  passphrase: { type: 'string' },
  open: { type: 'boolean', default: false },
  name: { type: 'string', default: 'front-door' },
  device: { type: 'string' },
  renew: { type: 'boolean', default: false },
  server: { type: 'string' },
  url: { type: 'string' },
  token: { type: 'string' },
  region: { type: 'string' },
  'door-pin': { type: 'string' },
  'siren-pin': { type: 'string' },
  'led-pin': { type: 'string' },
  'beeper-pin': { type: 'string' },
  contact: { type: 'string', multiple: true },
  'siren-active-low': { type: 'boolean', default: false },
  'led-active-low': { type: 'boolean', default: false },
  'beeper-active-low': { type: 'boolean', default: false },
  'door-inverted': { type: 'boolean', default: false },
  'siren-mode': { type: 'string' },
  'siren-cut-off': { type: 'string' },
  'time-server': { type: 'string' },
  ca: { type: 'string' },
  console: { type: 'boolean', default: false },
  debug: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  ...ABOUT_OPTIONS,
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

/** In bytes [IEEE 802.11]. */
const LONGEST_SSID = 32;
/** Printable ASCII, or a key in hexadecimal digits [IEEE 802.11]. */
const PASSPHRASE = /^([ -~]{8,63}|[0-9a-fA-F]{64})$/;

/** @returns a text to print, and nothing else is to be done, where that is wanted. @throws UsageError */
export function parseFlashOptions(args: string[], environment: NodeJS.ProcessEnv): FlashOptions | string {
  const { values } = understood(() => parseArgs({ args, options: OPTIONS }), OPTIONS, closestMatch);
  const about = aboutText(values, HELP);
  if (about !== undefined) return about;
  const target = matching('target', required('target', values.target), /^(esp32|sim)\/\w+$/, 'esp32/nodemcu');
  const isBoard = target.startsWith('esp32/');
  if (values.console && (values.debug || !isBoard))
    throw new UsageError('--console: a debug build has a console of its own, and the simulator too');
  const url = values.url || environment.TWIN_URL || DEFAULT_URL;
  if (!URL.canParse(url) || !url.startsWith('http')) throw new UsageError('--url: expected http://host:port');
  return {
    target,
    port: values.port,
    name: matching('name', values.name, /^[\w-]{1,64}$/, 'letters, digits, - and _'),
    device: values.device && matching('device', values.device, new RegExp(`^${UUID}$`), 'the id of a device'),
    server: values.server && matching('server', values.server, SERVER, 'mqtts://host:port'),
    api: apiBase(url, values.region || environment.TWIN_REGION || DEFAULT_REGION),
    token: values.token || environment.TWIN_TOKEN || undefined,
    wifi: isBoard ? wifi(values, environment) : undefined,
    wiring: wiring(values),
    config: config(values),
    renew: values.renew,
    // The simulator shows a NodeMCU only to a build of this kind.
    debug: values.debug || !isBoard,
    console: values.console,
    ca: values.ca,
    dryRun: values['dry-run'],
  };
}

const SERVER = /^mqtts?:\/\/[^/:\s]+:\d{1,5}$/;

function wifi(values: Values, environment: NodeJS.ProcessEnv): { ssid: string; passphrase: string } {
  const ssid = required('ssid', values.ssid);
  if (Buffer.byteLength(ssid) > LONGEST_SSID) throw new UsageError('--ssid: expected 1 to 32 bytes');
  if (values.open) return { ssid, passphrase: '' };
  const passphrase = values.passphrase ?? environment.WIFI_PASSPHRASE;
  if (passphrase === undefined) throw new UsageError('--passphrase is missing; --open for a Wi-Fi without');
  return { ssid, passphrase: matching('passphrase', passphrase, PASSPHRASE, '8 to 63 characters') };
}

function wiring(values: Values): Wiring {
  const found: Wiring = {};
  if (values['door-pin'] !== undefined) found.doorPin = gpio('door-pin', values['door-pin']);
  if (values['siren-pin'] !== undefined) found.sirenPin = gpio('siren-pin', values['siren-pin']);
  if (values['led-pin'] !== undefined) found.ledPin = gpio('led-pin', values['led-pin']);
  if (values['beeper-pin'] !== undefined) found.beeperPin = gpio('beeper-pin', values['beeper-pin']);
  if (values['siren-active-low']) found.sirenActiveLow = true;
  if (values['led-active-low']) found.ledActiveLow = true;
  if (values['beeper-active-low']) found.beeperActiveLow = true;
  return found;
}

function gpio(name: string, given: string): number {
  const number = Number(matching(name, given, /^\d{1,2}$/, 'the number of a GPIO'));
  if (number <= LAST_GPIO) return number;
  throw new UsageError(`--${name}: expected a GPIO from 0 to ${LAST_GPIO}`);
}

/** The options for one door stand for a list of one. */
function contactsIn({ contact, ...values }: Values): readonly WiredContact[] | undefined {
  const inverted = values['door-inverted'];
  if (contact === undefined) return inverted ? [{ name: 'door', kind: 'entry', inverted }] : undefined;
  if (inverted || values['door-pin'] !== undefined)
    throw new UsageError('--contact says what --door-pin and --door-inverted say');
  const contacts = contact.map(wiredContactFrom);
  checkContacts(contacts);
  return contacts;
}

function config(values: Values): FlashOptions['config'] {
  const found: FlashOptions['config'] = {};
  const mode = values['siren-mode'];
  const cutOff = values['siren-cut-off'];
  const contacts = contactsIn(values);
  if (contacts !== undefined) found.contacts = contacts;
  if (mode === 'latch' || mode === 'follow') found.sirenMode = mode;
  else if (mode !== undefined) throw new UsageError('--siren-mode: expected latch or follow');
  if (cutOff !== undefined)
    found.sirenCutOff = 1000 * Number(matching('siren-cut-off', cutOff, /^\d{1,6}$/, 'seconds'));
  if (values['time-server'] !== undefined) found.timeServer = values['time-server'];
  return found;
}
