/** Finds what is meant by a name where an id could stand: devices by their names, tokens by their descriptions. */

import { closestMatch } from 'leven';
import { isUuid } from '../../shared/document.js';
import { allDevices, pathOf } from '../../shared/rest.js';
import { didYouMean } from '../../shared/usage.js';
import type { Token } from '../access/tokens.js';
import type { Device } from '../devices/device.js';
import type { Api } from './api.js';

/** Nothing has the name, or several have it. The message is for the person at the terminal. */
class NameUnclear extends Error {
  override name = 'NameUnclear';
}

interface Named {
  readonly id: string;
  readonly name: string;
  /** What tells it from another one of its name. */
  readonly details: string;
}

/** What can be meant by a name. */
export interface Kind {
  readonly one: string;
  readonly many: string;
  /** The command that lists all of them. */
  readonly list: string;
  read(api: Api): Promise<Named[]>;
}

export const DEVICE: Kind = {
  one: 'device',
  many: 'devices',
  list: 'device list',
  read: async ({ call }) => (await allDevices<Device>(call)).map(namedDevice),
};

const namedDevice = (device: Device): Named => {
  const { id, name, description, is_connected, last_activity_at, created_at } = device;
  const activity = is_connected ? 'connected' : `last activity ${last_activity_at ?? 'never'}`;
  return { id, name, details: [description, activity, `made ${created_at}`].filter(Boolean).join(', ') };
};

export const TOKEN: Kind = {
  one: 'token',
  many: 'tokens',
  list: 'token list',
  read: async ({ call }) =>
    ((await call('GET', pathOf('tokens'))) as { tokens: Token[] }).tokens.map(namedToken),
};

const namedToken = ({ id, description, role, created_at }: Token): Named => ({
  id,
  name: description,
  details: `role ${role}, made ${created_at}`,
});

/**
 * The ids of what these words mean. A word that has the form of an id is one; the server is asked only about names.
 * @throws NameUnclear
 */
export async function idsOf(api: Api, kind: Kind, words: readonly string[]): Promise<string[]> {
  if (words.every(isUuid)) return [...words];
  const known = await kind.read(api);
  return words.map((word) => (isUuid(word) ? word : idOf(word, kind, known)));
}

function idOf(name: string, { one, many, list }: Kind, known: readonly Named[]): string {
  const [meant, ...others] = known.filter((each) => each.name === name);
  if (meant !== undefined && others.length === 0) return meant.id;
  if (meant === undefined) {
    const names = known.map((each) => each.name).filter((each) => each !== '');
    const nearest = didYouMean(name, names, closestMatch) || `; "${list}" shows all`;
    throw new NameUnclear(`no such ${one}: ${name}${nearest}`);
  }
  const each = [meant, ...others].map(({ id, details }) => `${id} (${details})`).join('; ');
  throw new NameUnclear(`${others.length + 1} ${many} have the name ${name}. Give the id of one: ${each}`);
}
