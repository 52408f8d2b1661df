/** A command of Home Assistant, and the write of `desired` that it becomes. */

import { DEFAULT_MODE } from '../../shared/current-document.js';
import { isObject, type JsonObject } from '../../shared/document.js';
import {
  type CurrentDocument,
  DESIRED,
  type DesiredDocument,
  isDesiredDocument,
} from '../../shared/panel.js';
import { type Ask, type Order, orderArmed } from '../../shared/rest.js';
import { digest, sameDigest } from '../access/secret.js';
import { DeviceNotFound, type Devices } from '../devices/devices.js';
import type { Document } from '../twins/document.js';
import { DocumentNotFound, PreconditionFailed } from '../twins/errors.js';
import type { Twins } from '../twins/twins.js';
import { alarmState } from './states.js';

/** The writer, as the app and the history show it. */
const WRITER = 'Home Assistant';

/** In bytes. The longest command has an action and a code. */
const LONGEST_COMMAND = 512;

const ORDERS: Record<string, Order> = {
  DISARM: { armed: false },
  ARM_AWAY: { armed: true, mode: 'away' },
  ARM_HOME: { armed: true, mode: 'home' },
  ARM_NIGHT: { armed: true, mode: 'night' },
};

/** What became of a command, for the log and the metrics. */
export const COMMAND_OUTCOMES = [
  'written',
  'repeated',
  'retained',
  'unknown',
  'wrong_code',
  'no_panel',
  'failed',
] as const;
export type CommandOutcome = (typeof COMMAND_OUTCOMES)[number];

/** Reads a command. @param code the one that must come with it; empty for none */
export function orderIn(payload: Buffer, code: string): Order | 'unknown' | 'wrong_code' {
  if (payload.length > LONGEST_COMMAND) return 'unknown';
  const text = payload.toString();
  if (code === '') return ownOrder(text);
  const { action, code: given } = fieldsOf(text);
  if (typeof action !== 'string') return ownOrder(text) === 'unknown' ? 'unknown' : 'wrong_code';
  if (typeof given !== 'string' || !sameDigest(digest(given), digest(code))) return 'wrong_code';
  return ownOrder(action);
}

const ownOrder = (action: string): Order | 'unknown' =>
  Object.hasOwn(ORDERS, action) ? (ORDERS[action] as Order) : 'unknown';

function fieldsOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/**
 * Writes the order. An order that was given already, and that the panel has followed or not handled yet, changes nothing.
 * @throws what `Twins` answers
 */
export async function carryOut(
  id: string,
  order: Order,
  current: CurrentDocument,
  { twins, devices }: { twins: Pick<Twins, 'get' | 'patch' | 'put'>; devices: Pick<Devices, 'isGoing'> },
): Promise<'written' | 'repeated'> {
  if (isRepeated(order, await desiredOf(id, twins), current)) return 'repeated';
  const author = {
    judge() {
      if (devices.isGoing(id)) throw new DeviceNotFound(id);
    },
  };
  const ask: Ask = (method, _, body) =>
    new Promise((done, failed) => {
      const { data } = body as { data: JsonObject };
      const answer = (error: Error | null, document?: Document): void =>
        error === null ? done(document) : failed(error);
      const request = { version: 0, data, by: WRITER };
      if (method === 'PATCH') return twins.patch(id, DESIRED, request, answer, author);
      // Another writer may make the document meanwhile, and is not overwritten.
      const precondition = (present: unknown) => (present === undefined ? undefined : 'absent');
      twins.put(id, DESIRED, { ...request, precondition }, answer, author);
    });
  const errorOf = (error: unknown) =>
    error instanceof DocumentNotFound ? { resource: 'twin_document' } : {};
  const write = () => orderArmed(ask, id, order, errorOf);
  await write().catch((error) => {
    if (!(error instanceof PreconditionFailed)) throw error;
    return write();
  });
  return 'written';
}

function isRepeated(order: Order, document: Document | undefined, current: CurrentDocument): boolean {
  if (document === undefined) return false;
  const desired: unknown = JSON.parse(document.data);
  if (!isDesiredDocument(desired) || !isSame(order, desired)) return false;
  const isUnhandled = current.handled !== undefined && current.handled < document.version;
  return isUnhandled || isFollowed(order, current);
}

const isSame = ({ armed, mode }: Order, desired: DesiredDocument): boolean =>
  desired.alarm_armed === armed && (!armed || (desired.mode ?? DEFAULT_MODE) === mode);

function isFollowed({ armed, mode }: Order, current: CurrentDocument): boolean {
  const state = alarmState(current);
  if (!armed) return state === 'disarmed';
  return state === `armed_${mode}` || (state === 'arming' && (current.mode ?? DEFAULT_MODE) === mode);
}

export const desiredOf = (id: string, twins: Pick<Twins, 'get'>): Promise<Document | undefined> =>
  new Promise((done, failed) => {
    twins.get(id, DESIRED, (error, document) => {
      if (error === null || error instanceof DocumentNotFound) done(document);
      else failed(error);
    });
  });
