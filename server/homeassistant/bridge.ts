import type { Logger } from 'pino';
import { isCurrentDocument, legible } from '../../shared/current-document.js';
import { CURRENT, type CurrentDocument, isDesiredDocument } from '../../shared/panel.js';
import { DeviceNotFound, type Devices } from '../devices/devices.js';
import { LineLimit } from '../line-limit.js';
import type { Document } from '../twins/document.js';
import type { Change, Twins } from '../twins/twins.js';
import { announcementsOf, type Form } from './entities.js';
import { type Kept, type Memory, NOTHING_KEPT } from './memory.js';
import { numbered } from './numbers.js';
import { type CommandOutcome, carryOut, desiredOf, orderIn } from './orders.js';
import { birthTopic, bridgeTopic, commandedDevice, commandFilter, type Place, topicOf } from './place.js';
import { type Broker, type Counters, type SESSION_LIMITS, Session } from './session.js';
import { OFFLINE, ONLINE, type Panel, refusalEvent, statesOf } from './states.js';

export interface BridgeParts {
  readonly broker: Broker;
  readonly place: Place;
  readonly form: Form;
  readonly code: string;
  readonly memory: Memory;
  readonly twins: Pick<Twins, 'get' | 'patch' | 'put' | 'watchAll'>;
  readonly devices: Pick<Devices, 'get' | 'list' | 'isGoing' | 'watch' | 'watchChanges'> & {
    readonly presence: Pick<Devices['presence'], 'isConnected' | 'state' | 'watchAll'>;
  };
  /** Where the app shows a panel. */
  readonly linkOf: (panelId: string) => string;
  readonly log: Logger;
  readonly counters: Counters;
  /** How many commands had each outcome. */
  readonly commands: Map<CommandOutcome, number>;
  readonly limits?: Partial<typeof SESSION_LIMITS> | undefined;
}

/** A panel without what is kept of it on stable storage. */
type Known = Omit<Panel, 'numbers' | 'armedBy'>;

/**
 * Shows every panel in Home Assistant, and carries out its commands. It is a client of the twins and the devices, as REST and
 * MQTT are. A panel is shown when it has reported for the first time.
 */
export class Bridge {
  readonly #parts: BridgeParts;
  readonly #session: Session;
  readonly #panels = new Map<string, Known>();
  readonly #kept = new Map<string, Kept>();
  readonly #owners = new Map<string, string>();
  readonly #lines = new LineLimit();
  readonly #unwatch: (() => void)[] = [];
  /** What is announced and kept is changed in one order. */
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: BridgeParts) {
    this.#parts = parts;
    const { place } = parts;
    this.#session = new Session({
      ...parts,
      clientId: `alarm-twin-${place.instance}`,
      availability: { topic: bridgeTopic(place), online: ONLINE, offline: OFFLINE },
      commands: commandFilter(place),
      birth: { topic: birthTopic(place), payload: 'online' },
      onCommand: (topic, payload, isRetained) => this.#obey(topic, payload, isRetained),
      onCleared: (topic) => this.#soon(() => this.#forgetTopic(topic)),
    });
  }

  get session(): Pick<Session, 'isUp' | 'waiting'> {
    return this.#session;
  }

  get panels(): number {
    return this.#panels.size;
  }

  /** Begins to watch, reads what there is, and connects. */
  begin(): void {
    const { twins, devices } = this.#parts;
    this.#unwatch.push(
      twins.watchAll((change) => this.#hear(change)),
      devices.presence.watchAll(({ isConnected }, id) => {
        if (!isConnected) this.#show(id, { isOnline: false });
      }),
      devices.watchChanges(({ id, name }) => this.#rename(id, name)),
      devices.watch((id, why) => {
        if (why === 'deleted') this.#soon(() => this.#forgetPanel(id));
      }),
    );
    this.#soon(() => this.#recall());
    this.#soon(async () => this.#session.open());
  }

  /** Says that it goes, and begins nothing more from this turn on. Resolves when what is under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const end of this.#unwatch.splice(0)) end();
    await Promise.all([this.#session.close(), this.#work]);
  }

  async #recall(): Promise<void> {
    const { memory, devices } = this.#parts;
    for (const [id, kept] of await memory.all()) this.#keepInMind(id, kept);
    const { devices: present } = await devices.list();
    for (const { id } of present) await this.#meet(id);
    const gone = [...this.#kept.keys()].filter((id) => !this.#panels.has(id));
    for (const id of gone) await this.#forgetPanel(id);
  }

  /** This runs for every write of every twin. The states of a known panel are published in the same turn, in their order. */
  #hear({ twinId, name, document }: Change): void {
    if (name !== CURRENT) return;
    const before = this.#panels.get(twinId);
    if (before === undefined) return this.#soon(() => this.#meet(twinId));
    const isConnected = this.#parts.devices.presence.isConnected(twinId);
    const current = document && currentIn(document);
    if (document === undefined || current === undefined) return this.#show(twinId, { isOnline: false });
    this.#show(twinId, { current, reportedAt: document.updatedAt, isOnline: isConnected });
    if (contactsIn(current) !== contactsIn(before.current)) this.#soon(() => this.#announce(twinId));
    if (current.alarm_armed && !before.current.alarm_armed) this.#soon(() => this.#noteWriter(twinId));
    this.#tellRefusal(twinId, before.current, current);
  }

  #rename(id: string, name: string): void {
    const before = this.#panels.get(id);
    if (before === undefined || before.name === name) return;
    this.#panels.set(id, { ...before, name });
    this.#soon(() => this.#announce(id));
  }

  #show(id: string, changed: Partial<Known>): void {
    const before = this.#panels.get(id);
    if (before === undefined) return;
    this.#panels.set(id, { ...before, ...changed });
    this.#publishStates(id);
  }

  #publishStates(id: string, options?: { inPass: boolean }): void {
    const panel = this.#panelOf(id);
    if (panel === undefined) return;
    const { topics } = this.#keptOf(id);
    const states = statesOf(panel, this.#parts.place).filter(({ topic }) => topics.includes(topic));
    this.#session.set(states, options);
  }

  /** Home Assistant waits for a state after a command, so the one that stays is said again. */
  #tellRefusal(id: string, before: CurrentDocument, current: CurrentDocument): void {
    const event = refusalEvent(current);
    const isTold = current.handled === before.handled && event === refusalEvent(before);
    if (event === undefined || isTold) return;
    const { place } = this.#parts;
    this.#session.repeat(topicOf(place, id, 'state'));
    this.#session.tell(topicOf(place, id, 'event'), event);
  }

  /** A device that is not known yet. It is a panel when it has reported. */
  async #meet(id: string): Promise<void> {
    if (this.#panels.has(id)) return;
    const { devices, twins, linkOf } = this.#parts;
    const device = await devices.get(id).catch(unlessNotFound);
    if (device === undefined || devices.isGoing(id)) return;
    const { isConnected, at } = await devices.presence.state(id);
    await new Promise<void>((done) => {
      // A change after this answer is heard by the watcher.
      twins.get(id, CURRENT, (_, document) => {
        const current = document && currentIn(document);
        if (document !== undefined && current !== undefined) {
          const isOnline =
            isConnected && devices.presence.isConnected(id) && document.updatedAt >= (at ?? '');
          const { name } = device;
          const { updatedAt: reportedAt } = document;
          this.#panels.set(id, { id, name, link: linkOf(id), current, reportedAt, isOnline });
        }
        done();
      });
    });
    if (this.#panels.has(id)) await this.#announce(id);
  }

  /** Announces the entities of a panel, and clears what there was of it besides. @throws StorageUnavailable */
  async #announce(id: string): Promise<void> {
    const known = this.#panels.get(id);
    if (known === undefined) return;
    const kept = this.#keptOf(id);
    const { contacts } = known.current;
    const numbers = contacts === undefined ? kept.numbers : numbered(kept.numbers, contacts);
    const panel = { ...known, numbers, armedBy: kept.armedBy };
    const announcements = announcementsOf(panel, this.#parts);
    const topics = [...statesOf(panel, this.#parts.place), ...announcements].map(({ topic }) => topic);
    await this.#keep(id, { ...kept, numbers, topics: [...new Set([...topics, ...kept.topics])] });
    this.#publishStates(id, { inPass: true });
    this.#session.set(announcements, { inPass: true });
    this.#clear(this.#keptOf(id).topics.filter((topic) => !topics.includes(topic)));
  }

  async #noteWriter(id: string): Promise<void> {
    const document = await desiredOf(id, this.#parts.twins);
    const desired: unknown = document && JSON.parse(document.data);
    if (!this.#panels.has(id) || !isDesiredDocument(desired) || !desired.alarm_armed) return;
    await this.#keep(id, { ...this.#keptOf(id), armedBy: document?.updatedBy ?? 'the panel' });
    this.#publishStates(id);
  }

  async #forgetPanel(id: string): Promise<void> {
    this.#panels.delete(id);
    this.#clear(this.#keptOf(id).topics);
  }

  #clear(topics: readonly string[]): void {
    this.#session.set(
      topics.map((topic) => ({ topic, payload: '' })),
      { inPass: true },
    );
  }

  async #forgetTopic(cleared: string): Promise<void> {
    const id = this.#owners.get(cleared);
    // It may have been announced anew meanwhile.
    if (id === undefined || this.#session.isWanted(cleared)) return;
    this.#owners.delete(cleared);
    const kept = this.#keptOf(id);
    const topics = kept.topics.filter((topic) => topic !== cleared);
    if (topics.length > 0 || this.#panels.has(id)) return this.#keep(id, { ...kept, topics });
    this.#kept.delete(id);
    await this.#parts.memory.remove(id);
  }

  /** @throws StorageUnavailable */
  async #keep(id: string, kept: Kept): Promise<void> {
    const before = JSON.stringify(this.#keptOf(id));
    if (JSON.stringify(kept) === before) return;
    await this.#parts.memory.put(id, kept);
    this.#keepInMind(id, kept);
  }

  #keepInMind(id: string, kept: Kept): void {
    this.#kept.set(id, kept);
    for (const topic of kept.topics) this.#owners.set(topic, id);
  }

  #keptOf = (id: string): Kept => this.#kept.get(id) ?? NOTHING_KEPT;

  #panelOf(id: string): Panel | undefined {
    const known = this.#panels.get(id);
    const { numbers, armedBy } = this.#keptOf(id);
    return known && { ...known, numbers, armedBy };
  }

  #obey(topic: string, payload: Buffer, isRetained: boolean): void {
    const id = commandedDevice(this.#parts.place, topic) ?? '';
    this.#outcomeOf(id, payload, isRetained).then(
      (outcome) => this.#note(id, outcome),
      (error) => this.#note(id, 'failed', error),
    );
  }

  async #outcomeOf(id: string, payload: Buffer, isRetained: boolean): Promise<CommandOutcome> {
    if (isRetained) return 'retained';
    const panel = this.#panels.get(id);
    if (panel === undefined) return 'no_panel';
    const order = orderIn(payload, this.#parts.code);
    return typeof order === 'string' ? order : carryOut(id, order, panel.current, this.#parts);
  }

  /** No line holds a command: it may have a code. */
  #note(id: string, outcome: CommandOutcome, error?: unknown): void {
    const { commands } = this.#parts;
    commands.set(outcome, (commands.get(outcome) ?? 0) + 1);
    const fields = this.#lines.take(outcome);
    if (fields === undefined) return;
    const line = { ...fields, ...(this.#panels.has(id) && { device_id: id }), outcome };
    if (error !== undefined)
      this.#parts.log.error({ ...line, err: error }, 'a command of Home Assistant failed');
    else if (outcome === 'written') this.#parts.log.info(line, 'a command of Home Assistant');
    else this.#parts.log.warn(line, 'a command of Home Assistant changed nothing');
  }

  /** A failure is logged, and ends nothing. */
  #soon(run: () => Promise<void>): void {
    const unlessClosed = (): Promise<void> | undefined => (this.#isClosed ? undefined : run());
    this.#work = this.#work.then(unlessClosed).catch((error) => {
      this.#parts.log.error({ err: error }, 'a panel could not be shown in Home Assistant');
    });
  }
}

const unlessNotFound = (error: unknown): undefined => {
  if (!(error instanceof DeviceNotFound)) throw error;
};

function currentIn({ data }: Document): CurrentDocument | undefined {
  const value: unknown = JSON.parse(data);
  return isCurrentDocument(value) ? legible(value) : undefined;
}

/** What decides which entities there are. */
const contactsIn = ({ contacts }: CurrentDocument): string =>
  JSON.stringify(contacts && Object.entries(contacts).map(([name, { kind }]) => [name, kind]));
