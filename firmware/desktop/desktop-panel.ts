import { EventEmitter } from 'node:events';
import type { LookupFunction, Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { PanelStatus, Start } from '../board.js';
import { DEFAULTS, type PanelConfig } from '../config.js';
import { bundleFirmware } from './bundle.js';
import { ContactLines, type Line } from './contact-lines.js';
import { workerPath } from './engine.js';
import { type Cut, FlashFile } from './flash-file.js';
import { lockFlash } from './flash-lock.js';
import { Machine, type MachinePorts } from './machine.js';
import type { Fault } from './offline.js';
import type { Bundle } from './trace.js';

export interface DesktopPanelOptions {
  /** `mqtt://host:port` or `mqtts://host:port` */
  server: string;
  /** The device's id. */
  device: string;
  password: string;
  /** The file that stands for the flash. */
  flash: string;
  /** What differs from the firmware's defaults. */
  config?: Partial<PanelConfig>;
  /** The server's authority and the device's certificate, in PEM, for `mqtts`. */
  tls?: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;
  /** How names are resolved, where not as this machine does. */
  lookup?: LookupFunction;
  /** What the time server says, in milliseconds since 1970, undefined being nothing; this machine's clock by default. */
  timeServer?: () => number | undefined;
  /** Hears why the panel is offline, at each attempt. */
  onFault?: (fault: Fault) => void;
  /** Hears each level that the program writes to a pin, such as `siren`, when it is written. */
  onOutput?: (pin: string, level: 0 | 1) => void;
  /** The trace, line by line. */
  trace?: (line: string) => void;
  /** Another program than the firmware. */
  program?: Bundle;
  /** The path of another build of the XS engine. */
  engine?: string;
}

/** What a person in front of the panel sees; without power nothing rings and nothing is online. */
export interface DesktopState extends Omit<PanelStatus, 'delayEnd' | 'contacts'> {
  power: boolean;
  /** By their names, as the panel counts them. */
  contacts: Record<string, Line>;
}

const MQTT_PORT = 1883;
const MQTTS_PORT = 8883;
/** As small as on a board, so that messages come in parts and the sender has to wait. */
const PART_BYTES = 512;
const SEND_BYTES = 4096;
/** Between the end of a program and its next start, as a board takes; an exception at every start must not spin. */
const RESTART_MS = 100;
/** How long {@link DesktopPanel.settled} waits for a program that does not follow its contacts. */
const SETTLE_MS = 3000;

const DARK: PanelStatus = {
  armed: false,
  doorOpen: false,
  sirenRinging: false,
  contacts: [],
  state: 'disarmed',
  mode: 'away',
  delayEnd: undefined,
  refused: false,
  online: false,
};

/** A panel on this machine: contacts, a siren, a flash, power and a network to play with, and the firmware on XS. */
export class DesktopPanel {
  readonly #bundle: Bundle;
  readonly #flash: FlashFile;
  readonly #lock: Server;
  readonly #ports: Omit<MachinePorts, 'start'>;
  readonly #changes = new EventEmitter<{ change: [DesktopState]; stop: [] }>();
  readonly #outputs: Record<string, number> = {};
  readonly #lines: ContactLines;
  #machine: Machine | undefined;
  #restart: NodeJS.Timeout | undefined;
  #status: PanelStatus = DARK;
  readonly #network = { accessPoint: true, dhcp: true };
  #powerOn = false;
  #stopped = false;
  #clockOffset = 0;
  #announced = '';

  /** `lock` is released when the panel is stopped. */
  constructor(options: DesktopPanelOptions, bundle: Bundle, lock: Server) {
    this.#bundle = bundle;
    this.#lock = lock;
    this.#flash = new FlashFile(options.flash);
    this.#ports = this.#portsFor(options);
    const { contacts } = { ...DEFAULTS, ...options.config };
    this.#lines = new ContactLines(contacts, (pin) => this.#machine?.edge(pin));
    this.#changes.setMaxListeners(0);
  }

  get state(): DesktopState {
    const { delayEnd, contacts, ...status } = this.#status;
    const sirenRinging = this.#outputs.siren === 1;
    return { ...status, sirenRinging, power: this.#powerOn, contacts: this.#lines.named(contacts) };
  }

  /** The level of the LED. */
  get led(): boolean {
    return this.#outputs.led === 1;
  }

  get beeper(): boolean {
    return this.#outputs.beeper === 1;
  }

  /** Calls back at every change of state. Returns what ends it. */
  onChange(listener: (state: DesktopState) => void): () => void {
    this.#changes.on('change', listener);
    return () => this.#changes.off('change', listener);
  }

  /** Resolves with the first state, now or later, for which the predicate holds. Rejects when the panel is stopped. */
  until(predicate: (state: DesktopState) => boolean): Promise<DesktopState> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#changes.off('change', look).off('stop', give);
      };
      const look = (state: DesktopState): void => {
        if (!predicate(state)) return;
        settle();
        resolve(state);
      };
      const give = (): void => {
        settle();
        reject(new Error(`the panel was stopped as ${JSON.stringify(this.state)}`));
      };
      this.#changes.on('change', look).on('stop', give);
      if (this.#stopped) give();
      else look(this.state);
    });
  }

  /** Resolves with the state once what was done before has had its effect: the turn is over, and the contacts count. */
  async settled(): Promise<DesktopState> {
    const expected = JSON.stringify(this.#lines.named(this.#lines.levels));
    const counts = this.turned().then(() =>
      this.until(({ power, contacts }) => !power || JSON.stringify(contacts) === expected).catch(
        () => this.state,
      ),
    );
    await Promise.race([counts, delay(SETTLE_MS)]);
    return this.state;
  }

  /** Resolves when the program has dealt with all that was done before. */
  turned(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#machine === undefined) resolve();
      else this.#machine.afterTurn(resolve);
    });
  }

  /** Of the first contact of the kind `entry`. */
  openDoor(): void {
    this.set(this.#lines.first('entry'), 'open');
  }

  closeDoor(): void {
    this.set(this.#lines.first('entry'), 'closed');
  }

  /** Opens or closes a contact, which mends its line, or damages the line. @throws NoSuchContact */
  set(name: string, line: Line): void {
    this.#lines.set(name, line);
  }

  /** Presses a key, the first one by default, and lets it go. Resolves when the panel has counted both. */
  async press(name = this.#lines.first('key')): Promise<void> {
    this.set(name, 'closed');
    await this.settled();
    this.set(name, 'open');
    await this.settled();
  }

  /** A panel that was stopped stays so. */
  powerOn(): void {
    if (this.#powerOn || this.#stopped) return;
    this.#powerOn = true;
    this.#start({ wanted: true, reason: 'power on' });
  }

  /** At once, whatever the program is doing: it keeps what is in flash, and nothing else. */
  powerOff(): void {
    if (!this.#powerOn) return;
    this.#powerOn = false;
    clearTimeout(this.#restart);
    this.#machine?.powerOff();
    this.#darken();
  }

  networkOn(): void {
    this.#setNetwork('accessPoint', true);
  }

  networkOff(): void {
    this.#setNetwork('accessPoint', false);
  }

  /** There is an address to be had again. */
  dhcpOn(): void {
    this.#setNetwork('dhcp', true);
  }

  /** The panel loses its address, and gets no other. */
  dhcpOff(): void {
    this.#setNetwork('dhcp', false);
  }

  /** The connection goes half-open: no byte comes or goes any more, and neither side sees it. */
  freezeNetwork(): void {
    this.#machine?.freezeConnections();
  }

  /** Power fails at the nth operation of the flash from now (1: the next). */
  cutPowerAtFlashOperation(operations: number, how: Cut): void {
    this.#flash.cutPowerAt(operations, how, () => this.powerOff());
  }

  /** What the XS machine holds after a garbage collection, in a file. @throws Error without power */
  async writeSnapshot(path: string): Promise<void> {
    if (this.#machine === undefined) throw new Error('there is no machine without power');
    await this.#machine.writeSnapshot(path);
  }

  /** Sets the board's clock wrong, by milliseconds. */
  shiftClock(by: number): void {
    this.#clockOffset += by;
  }

  /** Ends the panel for good. It runs no further and reports nothing more. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#changes.emit('stop');
    this.#changes.removeAllListeners();
    this.powerOff();
    this.#lock.close();
  }

  #setNetwork(part: 'accessPoint' | 'dhcp', on: boolean): void {
    if (this.#network[part] === on) return;
    this.#network[part] = on;
    this.#machine?.networkChanged();
  }

  #start(start: Start): void {
    this.#machine = new Machine(this.#bundle, { ...this.#ports, start });
  }

  #portsFor({
    server,
    device,
    password,
    config,
    tls,
    lookup,
    onFault,
    onOutput,
    timeServer = Date.now,
    trace = () => undefined,
    engine = workerPath(),
  }: DesktopPanelOptions): Omit<MachinePorts, 'start'> {
    const { protocol, hostname, port } = new URL(server);
    const secure = protocol === 'mqtts:';
    const host = hostname.replace(/^\[|\]$/g, '');
    const address = { host, port: Number(port) || (secure ? MQTTS_PORT : MQTT_PORT) };
    return {
      engine,
      config: { ...config, server, device, password, timeServer: host, ...address },
      connection: {
        partBytes: PART_BYTES,
        sendBytes: SEND_BYTES,
        tls: secure ? createSecureContext(tls) : undefined,
        ...(lookup && { lookup }),
        onFault,
      },
      flash: this.#flash,
      clock: {
        now: () => Date.now() + this.#clockOffset,
        set: (now) => {
          this.#clockOffset = now - Date.now();
        },
      },
      timeServer,
      network: this.#network,
      readPin: (pin) => this.#lines.level(pin) ?? 0,
      writePin: (pin, level) => {
        this.#outputs[pin] = level;
        onOutput?.(pin, level);
      },
      show: (status) => {
        this.#status = status as PanelStatus;
      },
      trace,
      turned: () => this.#announce(),
      ended: () => {
        // Before the listeners hear of it: one may cut the power in answer.
        this.#restart = setTimeout(() => this.#start({ wanted: false, reason: 'restart' }), RESTART_MS);
        this.#darken();
      },
    };
  }

  #darken(): void {
    this.#machine = undefined;
    for (const pin of Object.keys(this.#outputs)) this.#outputs[pin] = 0;
    this.#status = { ...this.#status, online: false };
    this.#announce();
  }

  #announce(): void {
    const state = this.state;
    const text = JSON.stringify(state);
    if (text === this.#announced) return;
    this.#announced = text;
    this.#changes.emit('change', state);
  }
}

/**
 * A panel with power and network on and its door closed.
 * @throws FlashInUse; FlashDamaged; Error when the XS engine is not there, the server's address or a certificate is none, or there
 * is no directory for the flash file
 */
export async function startPanel(options: DesktopPanelOptions): Promise<DesktopPanel> {
  const bundle = options.program ?? (await bundleFirmware());
  const lock = await lockFlash(options.flash);
  try {
    const panel = new DesktopPanel(options, bundle, lock);
    panel.powerOn();
    return panel;
  } catch (error) {
    lock.close();
    throw error;
  }
}
