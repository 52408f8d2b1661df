import { type Deed, HOUSES, type Step } from './deeds.js';
import { eventually } from './eventually.js';
import { type Guest, House } from './house.js';
import type { Target } from './target.js';

/** CONNACK codes (MQTT 3.1.1, table 3.1). */
const WRONG_CREDENTIALS = 4;
const NOT_AUTHORIZED = 5;
const GARBAGE = Buffer.from([0, 0]);

/** What a deed that is done by itself must lead to. */
interface Outcome {
  readonly open: ReadonlySet<Guest>;
  /** Whose wills are carried out. */
  readonly lost: readonly Guest[];
}

/** Some houses, and what becomes of them step by step. Where one deed at a time is done to a house, its outcome is known. */
export class Life {
  readonly #houses: readonly House[];
  readonly #clients = new Map<number, { house: House; guest: Guest }>();

  private constructor(houses: readonly House[]) {
    this.#houses = houses;
  }

  static async begin(target: Target): Promise<Life> {
    const numbers = Array.from({ length: HOUSES }, (_, number) => number);
    return new Life(await Promise.all(numbers.map((number) => House.open(target, number > 0))));
  }

  /** @throws Error for what should not be */
  async step(step: Step): Promise<void> {
    const deeds = this.#possible(step);
    const alone = new Map(
      this.#houses.map((house) => {
        const of = deeds.filter((deed) => this.#houseOf(deed) === house);
        return [house, of.length === 1 ? of[0] : undefined];
      }),
    );
    const outcomes = new Map<House, Outcome>();
    await Promise.all(
      deeds.map(async (deed) => {
        const house = this.#houseOf(deed);
        if (house === undefined) return;
        const before = [...house.guests];
        const after = await this.#do(deed, house);
        if (alone.get(house) === deed) outcomes.set(house, this.#outcomeOf(deed, house, before, after));
      }),
    );
    for (const house of this.#houses) await settle(house, outcomes.get(house));
  }

  /** Everybody leaves. @throws Error for what should not have been */
  async end(): Promise<void> {
    for (const house of this.#houses) {
      const last = [...house.guests];
      forbidWills(house, last);
      await Promise.all(last.map(leave));
      await settle(house, undefined);
      if (!house.deleted) await judge(house);
      for (const follower of house.followers) follower.close();
      await house.delete();
    }
  }

  /** What can be done: by each client one thing at a time, and nothing by one that is not there. */
  #possible(step: Step): Deed[] {
    const acting = new Set<number>();
    return step.filter((deed) => {
      if (!('client' in deed)) return !this.#houseOf(deed)?.deleted;
      const { guest, house } = this.#clients.get(deed.client) ?? {};
      const isOpen = guest !== undefined && house?.guests.has(guest) === true;
      if (acting.has(deed.client) || isOpen === (deed.kind === 'connect')) return false;
      acting.add(deed.client);
      return true;
    });
  }

  #houseOf(deed: Deed): House | undefined {
    return 'house' in deed ? this.#houses[deed.house] : this.#clients.get(deed.client)?.house;
  }

  /** @returns who came in, or the code by which he was refused */
  async #do(deed: Deed, house: House): Promise<Guest | number | undefined> {
    switch (deed.kind) {
      case 'connect': {
        const came = await house.connect(deed.clientId, deed.willed, deed.transport);
        if (typeof came === 'object') this.#clients.set(deed.client, { house, guest: came });
        else this.#clients.delete(deed.client);
        return came;
      }
      case 'enable':
      case 'disable':
        await house.tell(deed.kind);
        return undefined;
      case 'delete':
        await house.delete();
        return undefined;
      case 'renew':
        await house.renew();
        return undefined;
      case 'follow':
        await house.follow();
        return undefined;
      case 'unfollow':
        house.unfollow();
        return undefined;
      default:
        return this.#byGuest(deed, house);
    }
  }

  async #byGuest({ kind, client }: Exclude<Deed, { house: number }>, house: House): Promise<undefined> {
    const guest = this.#clients.get(client)?.guest;
    if (guest === undefined) return;
    const { connection } = guest;
    if (kind === 'ask') {
      await house.ask(guest);
      return;
    }
    if (kind === 'vanish') connection.vanish();
    else if (kind === 'goodbye') return leave(guest);
    else if (kind === 'half-close') connection.end();
    else connection.send(GARBAGE);
    await connection.closed;
  }

  #outcomeOf(deed: Deed, house: House, before: readonly Guest[], after: Guest | number | undefined): Outcome {
    const without = (gone: readonly Guest[]) => new Set(before.filter((guest) => !gone.includes(guest)));
    switch (deed.kind) {
      case 'connect': {
        const refusal = house.deleted ? WRONG_CREDENTIALS : house.enabled ? undefined : NOT_AUTHORIZED;
        if (refusal !== undefined || typeof after !== 'object') {
          if (after !== refusal) throw new Error(`a connect was answered by ${after} and not by ${refusal}`);
          return { open: new Set(before), lost: [] };
        }
        const taken = before.filter(
          ({ clientId }) => !house.multiple || (clientId === after.clientId && clientId !== ''),
        );
        return { open: without(taken).add(after), lost: taken };
      }
      case 'disable':
      case 'delete':
      case 'renew':
        forbidWills(house, before);
        return { open: new Set(), lost: [] };
      case 'enable':
      case 'follow':
      case 'unfollow':
      case 'ask':
        return { open: new Set(before), lost: [] };
      default: {
        const guest = before.filter((each) => each === this.#clients.get(deed.client)?.guest);
        if (deed.kind === 'goodbye') forbidWills(house, guest);
        return { open: without(guest), lost: deed.kind === 'goodbye' ? [] : guest };
      }
    }
  }
}

/** The way that leaves no will. */
async function leave({ connection }: Guest): Promise<undefined> {
  connection.send({ cmd: 'disconnect' });
  await connection.closed;
}

function forbidWills(house: House, guests: readonly Guest[]): void {
  for (const { will } of guests) if (will !== undefined) house.forbiddenWills.add(will);
}

/** Waits until the server shows what there is. @throws Error when it never does */
async function settle(house: House, outcome: Outcome | undefined): Promise<void> {
  await eventually(async () => {
    await house.ping();
    const open = house.guests.size;
    const shown = await house.shown();
    house.deleted = shown === undefined;
    house.enabled = shown?.status === 'enabled';
    if (open > 0 && !house.enabled) return `${open} connections of a device that may have none`;
    if (open > 1 && !house.multiple) return `${open} connections of a device that may have one`;
    if (shown !== undefined && shown.is_connected !== open > 0) {
      return `${open} connections, is_connected ${shown.is_connected}`;
    }
    if (outcome === undefined) return undefined;
    const isSo = outcome.open.size === open && [...outcome.open].every((guest) => house.guests.has(guest));
    return isSo ? undefined : `${open} connections are open where others should be`;
  });
  const lost = (outcome?.lost ?? []).flatMap(({ will }) => (will === undefined ? [] : [will]));
  if (lost.length === 0 || house.deleted) return;
  await eventually(async () => {
    const carriedOut = await house.wills();
    return lost.every((will) => carriedOut.has(will)) ? undefined : 'a will was not carried out';
  });
}

/** At the end. @throws Error for a will that should not have been carried out, or a follower who believes wrongly */
async function judge(house: House): Promise<void> {
  const carriedOut = await house.wills();
  const wrong = [...house.forbiddenWills].filter((will) => carriedOut.has(will));
  if (wrong.length > 0) throw new Error(`wills ${wrong} were carried out`);
  await eventually(async () => {
    const documents = await house.documents();
    return house.followers
      .map((follower) => follower.fault(documents, false))
      .find((fault) => fault !== undefined);
  });
}
