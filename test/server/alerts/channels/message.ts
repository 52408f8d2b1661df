import type { Message } from '../../../../server/alerts/channels/channel.js';
import { happened } from '../../../../server/alerts/life.js';

export const AT = '2026-11-26T12:00:00.000Z';
export const PANEL_ID = '0c8a1c2e-5b7d-4f3a-9e61-2d4b8f7a6c10';

/** A message of an alarm at the window of a cabin. */
export function messageOf(changes: Partial<Message> = {}): Message {
  const now = Date.parse(AT);
  const condition = { kind: 'triggered', subject: 'window', since: now } as const;
  const alert = happened(condition, { id: PANEL_ID, name: 'Cabin' }, now, undefined, 'alert-1');
  return {
    id: 'alert-1.0.hook.itself',
    alert,
    telling: 'raised',
    title: 'Alarm: Cabin, window',
    text: 'It is so.',
    at: AT,
    link: 'https://house/#panel=1',
    ...changes,
  };
}
