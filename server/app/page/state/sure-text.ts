/** How sure it is what is shown: whether the way to the server and the panel stands, and since when it does not. Pure. */

import type { Link } from './app.js';
import type { Panel } from './panel.js';
import { agoText, clockText, type Place } from './time-text.js';

/** @param now the server's clock, in which the panel's times are; milliseconds since 1970 */
export function sureText(
  { presence }: Panel,
  link: Link,
  { phone, server }: { phone: number; server: number },
  place: Place = {},
): string {
  if (link.kind === 'connecting') return 'Connecting to the server …';
  if (link.kind === 'lost') {
    return `No connection to the server since ${clockText(link.since, phone, place)}.`;
  }
  if (presence.isConnected) return 'Panel connected';
  if (presence.at === undefined) return 'The panel has not been connected yet.';
  const since = `${clockText(presence.at, server, place)} (${agoText(presence.at, server)})`;
  return `No contact with the panel since ${since}.`;
}
