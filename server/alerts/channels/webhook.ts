/**
 * Any HTTP receiver. The signature follows Standard Webhooks: `webhook-id`, `webhook-timestamp` (seconds since 1970) and
 * `webhook-signature: v1,<HMAC-SHA256 of "id.timestamp.body" in base64>`, one for each secret, separated by spaces.
 */

import { createHmac } from 'node:crypto';
import { send } from '../request.js';
import { attemptOf, type Channel, ITSELF, type Message, notReached } from './channel.js';
import { filled, VALUES } from './template.js';

export interface WebhookSettings {
  readonly url: string;
  readonly method: 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  /** JSON with `{{name}}` in its strings; the whole message when absent. */
  readonly body?: string | undefined;
  /** While a secret is being replaced there are two. None: no signature. */
  readonly secrets: readonly string[];
  readonly allow_private: boolean;
}

export function webhook(settings: WebhookSettings, now = () => Date.now(), limitMs?: number): Channel {
  const { url, method, headers, secrets, allow_private: allowPrivate } = settings;
  return {
    targets: () => [ITSELF],
    async send(message) {
      const body = bodyOf(message, settings.body);
      const timestamp = String(Math.floor(now() / 1000));
      const signed = secrets.map((secret) => `v1,${signatureOf(secret, message.id, timestamp, body)}`);
      try {
        const { status, retryAfterMs } = await send({
          url: new URL(url),
          method,
          headers: {
            'Content-Type': 'application/json',
            ...headers,
            'webhook-id': message.id,
            'webhook-timestamp': timestamp,
            ...(signed.length > 0 && { 'webhook-signature': signed.join(' ') }),
          },
          body,
          allowPrivate,
          limitMs,
        });
        return attemptOf(status, retryAfterMs);
      } catch (error) {
        return notReached(error);
      }
    },
  };
}

const signatureOf = (secret: string, id: string, timestamp: string, body: string): string =>
  createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');

function bodyOf(message: Message, template: string | undefined): string {
  if (template !== undefined) return filled(template, message, 'json');
  return JSON.stringify(
    Object.fromEntries(Object.entries(VALUES).map(([name, value]) => [name, value(message)])),
  );
}
