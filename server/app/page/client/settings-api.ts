/** The server's REST interface for what the settings show and change. */

import { type Ask, pathOf } from '../../../../shared/rest.js';
import type { ServerFacts, Token } from '../state/settings.js';

export async function serverFacts(ask: Ask): Promise<ServerFacts> {
  const { hubs } = (await ask('GET', pathOf('hubs'))) as { hubs: [ServerFacts] };
  return hubs[0];
}

/** The phone's own token first, then the others, if the phone may see them. */
export async function tokensOf(ask: Ask): Promise<readonly Token[]> {
  const own = (await ask('GET', pathOf('tokens', 'self'))) as Token;
  if (own.role !== 'owner' || own.twin_ids !== null) return [own];
  const { tokens } = (await ask('GET', pathOf('tokens'))) as { tokens: Token[] };
  return [own, ...tokens.filter(({ id }) => id !== own.id)];
}

/** @param id `self` for the phone's own one */
export const endToken = (ask: Ask, id: string): Promise<unknown> => ask('DELETE', pathOf('tokens', id));

export const renameDevice = (ask: Ask, id: string, name: string): Promise<unknown> =>
  ask('PATCH', pathOf('devices', id), { name });
