/** What the settings show of the server and of its tokens, in words. */

import { plainText } from '../../../../shared/plain-text.js';
import type { ServerWarning } from '../../../../shared/rest.js';
import type { Role } from './app.js';
import { say } from './say.js';
import { agoText } from './time-text.js';

export interface ServerFacts {
  /** The address first that a phone should use. */
  readonly app_urls: readonly string[];
  readonly version: string;
  /** Told to owners only. */
  readonly warnings: readonly ServerWarning[];
}

/** Each phone has a token of its own. Times are RFC 3339. */
export interface Token {
  readonly id: string;
  readonly role: Role;
  readonly description: string;
  /** Null for all panels. */
  readonly twin_ids: readonly string[] | null;
  readonly last_seen_at: string | null;
}

/** What a token is called. */
export const tokenName = ({ description, role }: Token): string =>
  plainText(description) || say(`role.${role}`);

/** `App, seen 5 min ago`. */
export function tokenText({ role, last_seen_at }: Token, now: number): string {
  const name = say(`role.${role}`);
  return last_seen_at === null
    ? say('phones.unseen', { role: name })
    : say('phones.seen', { role: name, ago: agoText(Date.parse(last_seen_at), now) });
}

/** As the server bounds the name of a device, in characters. */
export const NAME_LENGTH = 255;
