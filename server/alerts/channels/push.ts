/** Web Push to every phone that has subscribed. The push service cannot read what it carries. */

import { createHash } from 'node:crypto';
import { KINDS } from '../alert.js';
import { send } from '../request.js';
import type { Subscriptions } from '../subscriptions.js';
import { encrypt, PLAINTEXT_BYTES, vapidAuthorization } from '../web-push.js';
import { type Attempt, attemptOf, type Channel, type Message, notReached } from './channel.js';
import { cut } from './template.js';

export interface PushSettings {
  /** `mailto:` or `https:`, by which a push service reaches the owner. */
  readonly contact: string;
}

/** In seconds. That something is over need not reach a phone that was off for longer. */
const OVER_TTL = 600;

/** A push service that finds a message too long gets one with so little text, in bytes. */
const LITTLE_TEXT = 200;

/** @param ca the authority of the push service, where it is not one that the system knows */
export function push(
  { contact }: PushSettings,
  subscriptions: Subscriptions,
  {
    allowPrivate = false,
    ca,
    now = Date.now,
  }: { allowPrivate?: boolean; ca?: string; now?: () => number } = {},
): Channel {
  async function attempt(message: Message, target: string, textBytes: number): Promise<Attempt> {
    const subscription = subscriptions.get(target);
    const key = subscription && subscriptions.keyOf(subscription);
    if (subscription === undefined || key === undefined)
      return { kind: 'failed', reason: 'the phone has unsubscribed' };
    const endpoint = new URL(subscription.endpoint);
    const receiver = {
      p256dh: Buffer.from(subscription.p256dh, 'base64url'),
      auth: Buffer.from(subscription.auth, 'base64url'),
    };
    const { status, retryAfterMs } = await send({
      url: endpoint,
      method: 'POST',
      headers: {
        Authorization: vapidAuthorization(endpoint, contact, key, now()),
        'Content-Encoding': 'aes128gcm',
        'Content-Type': 'application/octet-stream',
        TTL: String(ttlOf(message)),
        Urgency: isLoud(message) ? 'high' : 'normal',
        Topic: topicOf(message),
      },
      body: encrypt(plaintextOf(message, textBytes), receiver),
      allowPrivate,
      ca,
    });
    if (status === 413 && textBytes > LITTLE_TEXT) return attempt(message, target, LITTLE_TEXT);
    if (status === 404 || status === 410) await subscriptions.gone(target);
    return attemptOf(status, retryAfterMs);
  }

  return {
    targets: ({ alert, telling }) =>
      subscriptions.of(telling === 'test' ? null : alert.panel_id).map(({ id }) => id),
    send: (message, target) => attempt(message, target, PLAINTEXT_BYTES).catch(notReached),
  };
}

const isLoud = ({ alert, telling }: Message): boolean =>
  KINDS[alert.kind].urgency !== 'quiet' && telling !== 'resolved';

const ttlOf = ({ alert, telling }: Message): number =>
  telling === 'resolved' ? Math.min(OVER_TTL, KINDS[alert.kind].ttlSeconds) : KINDS[alert.kind].ttlSeconds;

/** One for each alert, so that a newer message takes the place of an older one [RFC 8030, 5.4]: 32 characters of base64url. */
const topicOf = ({ alert }: Message): string =>
  createHash('sha256').update(alert.id).digest().subarray(0, 24).toString('base64url');

/** What the service worker gets. Only what has no bounds is cut. */
function plaintextOf(
  { id, alert, telling, count, title, text, at, link }: Message,
  textBytes: number,
): Buffer {
  const { id: alert_id, kind, panel_id, raised_at } = alert;
  const [panel, subject] = [cut(alert.panel, LITTLE_TEXT), cut(alert.subject, LITTLE_TEXT)];
  const fixed = { id, alert_id, kind, telling, count, panel_id, panel, subject, raised_at, at, link };
  const shown = { ...fixed, title: cut(title, LITTLE_TEXT), text };
  for (let bytes = textBytes; ; bytes = Math.floor(bytes / 2)) {
    const json = Buffer.from(JSON.stringify({ ...shown, text: cut(text, bytes) }));
    if (json.length <= PLAINTEXT_BYTES || bytes === 0) return json;
  }
}
