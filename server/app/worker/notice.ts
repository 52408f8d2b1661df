/** The notification that a push message becomes. */

import { isObject } from '../../../shared/document.js';
import { plainText } from '../../../shared/plain-text.js';
import { messageTitle } from '../page/state/alerts.js';
import { say } from '../page/state/say.js';
import { clockText, type Place } from '../page/state/time-text.js';

/** What the server sends, as far as it is used here. */
interface Pushed {
  readonly alertId: string;
  readonly kind: string;
  readonly telling: string;
  readonly panelId: string | null;
  /** Undefined in a message of an older server, which has only its own words. */
  readonly panel: string | undefined;
  readonly subject: string;
  readonly count: number;
  /** In the words of the server. */
  readonly title: string;
  readonly text: string;
  /** When it began, in milliseconds since 1970. */
  readonly raisedAt: number;
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
const TEXTS = ['raised', 'repeated', 'resolved', 'test'] as const;

/**
 * Every message becomes a notification, also one that cannot be read: a browser ends a subscription whose messages show
 * nothing.
 * @param mayAct whether this phone may disarm and acknowledge
 */
export function noticeOf(text: string, mayAct: boolean, now = Date.now(), place: Place = {}): Notice {
  const pushed = parsed(text);
  if (pushed === undefined) return unread();
  const { alertId, kind, telling, panelId, panel, title, at } = pushed;
  const isOver = telling === 'resolved';
  const isAlarm = kind === 'triggered' && !isOver && telling !== 'test';
  const isQuiet = isOver || QUIET_KINDS.includes(kind);
  const canAct = mayAct && !isQuiet && telling !== 'test';
  const disarm = { action: 'disarm', title: say('disarm') };
  const seen = { action: 'seen', title: say('notice.seen') };
  return {
    title: panel === undefined ? plainText(title) : messageTitle({ ...pushed, panel }),
    options: {
      body: bodyOf(pushed, now, place),
      tag: alertId,
      icon: ICON,
      data: { panelId, alertId, kind: isOver ? 'over' : kind },
      ...(at !== undefined && { timestamp: at }),
      requireInteraction: isAlarm,
      renotify: !isQuiet,
      silent: isQuiet,
      actions: canAct ? [...(isAlarm && panelId !== null ? [disarm] : []), seen] : [],
    },
  };
}

/** The text below the title. A message of several alerts has their names, in the words of the server. */
function bodyOf({ telling, count, text, raisedAt }: Pushed, now: number, place: Place): string {
  const known = TEXTS.find((each) => each === telling);
  if (known === undefined || count > 1 || Number.isNaN(raisedAt)) return text;
  return say(`notice.text.${known}`, { time: clockText(raisedAt, now, place) });
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

const unread = (): Notice => plain('unread', say('app.name'), say('notice.unread'), { panelId: null });

/** The server has not heard that the person has seen an alert. */
export const unheard = (data: NoticeData): Notice =>
  plain(data.alertId ?? 'unheard', say('notice.unheard'), say('notice.unheard.text'), data);

function parsed(text: string): Pushed | undefined {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(data)) return undefined;
  const { alert_id, kind, telling, panel_id, panel, subject, count, title, text: body, raised_at, at } = data;
  if (typeof alert_id !== 'string' || typeof title !== 'string') return undefined;
  const time = Date.parse(String(at));
  return {
    alertId: alert_id,
    kind: String(kind),
    telling: String(telling),
    panelId: typeof panel_id === 'string' ? panel_id : null,
    panel: typeof panel === 'string' ? panel : undefined,
    subject: typeof subject === 'string' ? subject : '',
    count: typeof count === 'number' ? count : 1,
    raisedAt: Date.parse(String(raised_at)),
    title,
    text: typeof body === 'string' ? body : '',
    at: Number.isNaN(time) ? undefined : time,
  };
}
