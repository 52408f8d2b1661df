/** Every setting of the panel. Times are in milliseconds. */

import type { ContactKind, Mode } from '../shared/panel.js';

export interface ContactConfig {
  /** Each contact has its own, of at most 32 bytes. */
  readonly name: string;
  readonly kind: ContactKind;
  /** The modes in which it counts; all when absent. */
  readonly modes?: readonly Mode[];
  /** True when a closed contact means an open door. */
  readonly inverted?: boolean;
  /** Of an `always` contact: it does not ring while the panel is disarmed. */
  readonly silentWhileDisarmed?: boolean;
  /** `resistor`: two resistors at the end of the line tell a cut or shorted line from an open or closed contact. */
  readonly line?: 'resistor';
}

/** Decided by the manifest's `config` or on the command line. */
export interface PanelConfig {
  /** `mqtt://host:port` or `mqtts://host:port`, for the trace; the board opens the connection. */
  server: string;
  /** The device's id, which is its user name. */
  device: string;
  /** 1 to 8. The commands have checked them; the panel does not. */
  contacts: readonly ContactConfig[];
  /** `latch` rings on when the door closes; `follow` rings exactly while armed and open, without a cut-off. */
  sirenMode: 'latch' | 'follow';
  /** How long a latched siren rings at most; 0: for ever. */
  sirenCutOff: number;
  /** How long a level of the contact must stand before it counts. */
  debounce: number;
  /** A connection on which nothing comes back is given up within 1.5 times this. At least 1000: never off. */
  keepAlive: number;
  /** How long a connection may take from its first packet to the answered subscription. */
  connectTimeout: number;
  /** The first wait before a new attempt is up to `backOffMin`, each next one up to twice as long, up to `backOffMax`. */
  backOffMin: number;
  backOffMax: number;
  /** After the server has refused this device, the waits double from `backOffMax` up to this. */
  backOffRefused: number;
  /** After a connection that stood, the first wait is up to this: all panels lose theirs when the server restarts. */
  backOffLost: number;
  /** How often the Wi-Fi is looked at, and how long it may take to come to an address. */
  wifiInterval: number;
  wifiPatience: number;
  /** How long the panel waits for the first answer of a connection before it reports `current` anyway. */
  answerTimeout: number;
  /** Between two `desired/get`. */
  pollInterval: number;
  /** While connected, a report follows the last one after this. */
  refreshInterval: number;
  /** When the program was put onto the board, in milliseconds since 1970. It is never earlier than this. */
  flashedAt: number;
  /** The time server is asked again after this, and after each failure twice as late, up to `clockRetryMax`. */
  clockRetryMin: number;
  clockRetryMax: number;
  /** Between two successful questions to the time server. */
  clockRefresh: number;
  /** After five restarts, none of which ran for `healthyAfter`, the panel does without the network for the pause. */
  healthyAfter: number;
  networkPause: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** The defaults for what the manifest or the command line leaves out. */
export const DEFAULTS: Readonly<Omit<PanelConfig, 'server' | 'device'>> = {
  contacts: [{ name: 'door', kind: 'entry' }],
  sirenMode: 'latch',
  sirenCutOff: 180 * SECOND,
  debounce: 30,
  keepAlive: 30 * SECOND,
  connectTimeout: 30 * SECOND,
  backOffMin: SECOND,
  backOffMax: 60 * SECOND,
  backOffRefused: 10 * MINUTE,
  backOffLost: 25 * SECOND,
  wifiInterval: 2 * SECOND,
  wifiPatience: 30 * SECOND,
  answerTimeout: 5 * SECOND,
  pollInterval: 30 * SECOND,
  // A report is promised every minute, and takes some time to arrive.
  refreshInterval: 50 * SECOND,
  // 2025-01-01, for a board that was not flashed by `npm run flash`.
  flashedAt: 1_735_689_600_000,
  clockRetryMin: 4 * SECOND,
  clockRetryMax: 10 * MINUTE,
  clockRefresh: 24 * 60 * MINUTE,
  healthyAfter: MINUTE,
  networkPause: 15 * MINUTE,
};
