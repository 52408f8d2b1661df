/** ntfy, by its JSON interface: https://docs.ntfy.sh/publish/#publish-as-json */

import { KINDS, type Urgency } from '../alert.js';
import { send } from '../request.js';
import { type Attempt, attemptOf, type Channel, ITSELF, type Message, notReached } from './channel.js';
import { cut } from './template.js';

export interface NtfySettings {
  /** The server and the topic, as `https://ntfy.sh/topic`. */
  readonly url: string;
  /** An access token of the server. */
  readonly token?: string | undefined;
  readonly allow_private: boolean;
}

/** In bytes. A longer message becomes an attachment. */
const MESSAGE_BYTES = 4096;
const TITLE_BYTES = 256;

const PRIORITIES: Readonly<Record<Urgency, number>> = { critical: 5, high: 4, quiet: 2 };

export function ntfy({ url, token, allow_private: allowPrivate }: NtfySettings): Channel {
  const place = new URL(url);
  const topic = place.pathname.split('/').at(-1) ?? '';
  place.pathname = place.pathname.slice(0, -topic.length);
  return {
    targets: () => [ITSELF],
    async send(message): Promise<Attempt> {
      try {
        const { status, retryAfterMs, text } = await send({
          url: place,
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            ...(token !== undefined && { Authorization: `Bearer ${token}` }),
          },
          body: JSON.stringify({ topic, ...bodyOf(message) }),
          allowPrivate,
        });
        return answered(status, retryAfterMs, text);
      } catch (error) {
        return notReached(error);
      }
    },
  };
}

/** ntfy's own code of an error that says that the messages of this day are used up. */
const QUOTA = /"code":\s*42908\b/;
const QUOTA_ATTEMPTS = 5;

function answered(status: number, afterMs: number | undefined, text: string): Attempt {
  if (status === 429 && QUOTA.test(text)) {
    return {
      kind: 'again',
      reason: 'the daily quota of the server is used up',
      afterMs,
      attempts: QUOTA_ATTEMPTS,
    };
  }
  if (status === 401 || status === 403) {
    return { kind: 'failed', reason: `the server refuses the access token (status ${status})` };
  }
  return attemptOf(status, afterMs);
}

function bodyOf({ alert, telling, title, text, link }: Message): object {
  const isOver = telling === 'resolved';
  return {
    title: cut(title, TITLE_BYTES),
    message: cut(text, MESSAGE_BYTES),
    priority: isOver ? PRIORITIES.quiet : PRIORITIES[KINDS[alert.kind].urgency],
    tags: [isOver ? 'white_check_mark' : 'rotating_light'],
    ...(link !== '' && { click: link }),
  };
}
