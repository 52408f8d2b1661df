/** The notification that a push message becomes. Pure. */

import { isObject } from '../../../shared/document.js';

/** What the server sends, as far as it is used here. */
interface Pushed {
  readonly alertId: string;
  readonly kind: string;
  readonly telling: string;
  readonly panelId: string | null;
  readonly title: string;
  readonly text: string;
  /** When the message was made, in milliseconds since 1970. */
  readonly at: number | undefined;
}

/** What a touch needs to know. */
export interface NoticeData {
  readonly panelId: string | null;
  readonly alertId?: string;
  readonly kind?: string;
}

export interface Notice {
  readonly title: string;
  readonly options: {
    readonly body: string;
    /** One for each alert: a newer notification takes the place of an older one. */
    readonly tag: string;
    readonly icon: string;
    readonly data: NoticeData;
    readonly timestamp?: number;
    /** It stays until a person has touched it. */
    readonly requireInteraction: boolean;
    /** It sounds again when it takes the place of an older one. */
    readonly renotify: boolean;
    readonly silent: boolean;
    readonly actions: readonly { readonly action: string; readonly title: string }[];
  };
}

const ICON = '/icon-192.png';
const QUIET_KINDS = ['armed', 'disarmed'];
const SEEN = { action: 'seen', title: 'Seen' };
const DISARM = { action: 'disarm', title: 'Disarm' };

/**
 * Every message becomes a notification, also one that cannot be read: a browser ends a subscription whose messages show
 * nothing.
 * @param mayAct whether this phone may disarm and acknowledge
 */
export function noticeOf(text: string, mayAct: boolean): Notice {
  const pushed = parsed(text);
  if (pushed === undefined) return unread;
  const { alertId, kind, telling, panelId, title, text: body, at } = pushed;
  const isOver = telling === 'resolved';
  const isAlarm = kind === 'triggered' && !isOver && telling !== 'test';
  const isQuiet = isOver || QUIET_KINDS.includes(kind);
  const canAct = mayAct && !isQuiet && telling !== 'test';
  return {
    title,
    options: {
      body,
      tag: alertId,
      icon: ICON,
      data: { panelId, alertId, kind: isOver ? 'over' : kind },
      ...(at !== undefined && { timestamp: at }),
      requireInteraction: isAlarm,
      renotify: !isQuiet,
      silent: isQuiet,
      actions: canAct ? [...(isAlarm && panelId !== null ? [DISARM] : []), SEEN] : [],
    },
  };
}

const plain = (tag: string, title: string, body: string, data: NoticeData): Notice => ({
  title,
  options: {
    body,
    tag,
    icon: ICON,
    data,
    requireInteraction: false,
    renotify: true,
    silent: false,
    actions: [],
  },
});

const unread = plain(
  'unread',
  'Alarm',
  'There is a message that this version of the app cannot read. Open the app.',
  {
    panelId: null,
  },
);

/** The server has not heard that the person has seen an alert. */
export const unheard = (data: NoticeData): Notice =>
  plain(
    data.alertId ?? 'unheard',
    'Not acknowledged',
    'The server did not answer. Open the app, and try again.',
    data,
  );

function parsed(text: string): Pushed | undefined {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(data)) return undefined;
  const { alert_id, kind, telling, panel_id, title, text: body, at } = data;
  if (typeof alert_id !== 'string' || typeof title !== 'string') return undefined;
  const time = Date.parse(String(at));
  return {
    alertId: alert_id,
    kind: String(kind),
    telling: String(telling),
    panelId: typeof panel_id === 'string' ? panel_id : null,
    title,
    text: typeof body === 'string' ? body : '',
    at: Number.isNaN(time) ? undefined : time,
  };
}
