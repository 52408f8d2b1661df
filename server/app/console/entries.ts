/** What the console shows of a connection. Pure. */

/** A message that was sent or received, or a change of the connection. */
export type Entry =
  | {
      readonly kind: 'sent' | 'received';
      readonly at: number;
      readonly topic: string;
      readonly payload: string;
    }
  | { readonly kind: 'event'; readonly at: number; readonly text: string };

/** So many entries stay. Older ones go. */
export const SHOWN = 500;

/** The newest first. */
export const withEntry = (entries: readonly Entry[], entry: Entry): readonly Entry[] =>
  [entry, ...entries].slice(0, SHOWN);

/** JSON over several lines; other text as it is. */
export function formatted(payload: string): string {
  try {
    return JSON.stringify(JSON.parse(payload), undefined, 2);
  } catch {
    return payload;
  }
}

/** A refusal of the server, by its CONNACK return code [MQTT-3.2.2.3]. */
const REFUSALS: Record<number, string> = {
  1: 'the protocol is not one that the server speaks',
  2: 'the client id is not valid',
  3: 'the server takes no more connections now: there were too many wrong passwords from here, or too many connections; wait a minute',
  4: 'device id or password are wrong',
  5: 'the device is disabled, or may connect by certificate only: allow_insecure lets it in with a password',
};

export const refusalText = (code: number | undefined): string =>
  REFUSALS[code ?? 0] ?? 'no answer from the server';
