/** What an owner decides about alerts: the body of `PUT /alerts/channels`, and what is kept of it. */

import { isIP } from 'node:net';
import { isObject, type Json, type JsonObject } from '../../shared/document.js';
import { isHostName } from '../names.js';
import { InvalidRequest } from '../twins/errors.js';
import { KINDS, type Kind } from './alert.js';
import type { EmailSettings } from './channels/email.js';
import type { NtfySettings } from './channels/ntfy.js';
import type { PushSettings } from './channels/push.js';
import type { WebhookSettings } from './channels/webhook.js';

/** Every channel has these. */
interface Common {
  /** 1 to 32 of `a-z0-9-`. */
  readonly id: string;
  /** 1 is sent first, a higher one when an alarm was repeated and not acknowledged. */
  readonly group: number;
  /** What it tells; every kind that is on when absent. */
  readonly kinds?: readonly Kind[] | undefined;
  /** Of which panels; of all when absent. */
  readonly panels?: readonly string[] | undefined;
}

export type ChannelSettings = Common &
  (
    | ({ readonly type: 'webhook' } & WebhookSettings)
    | ({ readonly type: 'ntfy' } & NtfySettings)
    | ({ readonly type: 'push' } & PushSettings)
    | ({ readonly type: 'email' } & EmailSettings)
  );

/** The rules of a panel. */
interface PanelRules {
  /** Seconds. */
  readonly unreachable_after: number;
  /** Seconds; null: for ever. */
  readonly door_open_after: number | null;
  /** The kinds of alerts that are raised. */
  readonly kinds: readonly Kind[];
}

export interface AlertSettings {
  readonly channels: readonly ChannelSettings[];
  readonly rules: PanelRules;
  /** Other rules for single panels, by their ids. */
  readonly panels: Readonly<Record<string, Partial<PanelRules>>>;
}

/** Where the settings are kept. */
export interface SettingsPlace {
  /** As they are in memory. */
  readonly present: AlertSettings;
  /** From then on memory has what other servers have changed before. @throws StorageUnavailable */
  read(): Promise<unknown>;
  /** Changes them as they are now. @throws what `change` and the place throw */
  change(change: (before: AlertSettings) => AlertSettings): Promise<AlertSettings>;
  /** Calls the watcher when another server has changed them. */
  watch(watcher: () => void): void;
}

const ALL_KINDS = Object.keys(KINDS) as Kind[];

export const DEFAULT_RULES: PanelRules = {
  unreachable_after: 60,
  door_open_after: null,
  kinds: ALL_KINDS.filter((kind) => KINDS[kind].isOn),
};

export const NO_SETTINGS: AlertSettings = { channels: [], rules: DEFAULT_RULES, panels: {} };

export const rulesOf = ({ rules, panels }: AlertSettings, panelId: string | null): PanelRules => ({
  ...rules,
  ...(panelId !== null && Object.hasOwn(panels, panelId) ? panels[panelId] : {}),
});

/** How many channels there may be. */
const CHANNELS = 32;
const LONGEST_TEXT = 4096;
const LONGEST_WAIT = 86_400;

/** Stands where a secret is not shown. In a request it keeps the secret that there is. */
export const KEPT_SECRET = '(secret)';

/** Reads a value of one field. @throws InvalidRequest */
type Form<T> = (value: Json, name: string) => T;

interface Field {
  readonly form: Form<unknown>;
  /** What it is when it is absent; without it the field is needed. */
  readonly fallback?: { readonly value: unknown };
  readonly isSecret?: true;
}

const wrong = (name: string, help: string) => new InvalidRequest(name, 'format', help);

const text: Form<string> = (value, name) => {
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_TEXT) {
    throw wrong(name, `not a text of 1 to ${LONGEST_TEXT} characters`);
  }
  return value;
};

const flag: Form<boolean> = (value, name) => {
  if (typeof value !== 'boolean') throw wrong(name, 'not true or false');
  return value;
};

const whole =
  (least: number, most: number): Form<number> =>
  (value, name) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw wrong(name, `not a whole number from ${least} to ${most}`);
    }
    return value;
  };

const oneOf =
  <T extends string>(...words: readonly T[]): Form<T> =>
  (value, name) => {
    const word = words.find((each) => each === value);
    if (word === undefined) throw wrong(name, `not one of ${words.join(', ')}`);
    return word;
  };

const listOf =
  <T>(form: Form<T>): Form<T[]> =>
  (value, name) => {
    if (!Array.isArray(value)) throw wrong(name, 'not a list');
    return value.map((each, index) => form(each, `${name}[${index}]`));
  };

const url: Form<string> = (value, name) => {
  const given = text(value, name);
  const parsed = URL.canParse(given) ? new URL(given) : undefined;
  if (parsed?.protocol !== 'https:' && parsed?.protocol !== 'http:')
    throw wrong(name, 'not a URL of http or https');
  if (parsed.username !== '' || parsed.password !== '')
    throw wrong(name, 'a URL with a user name: give it as a header');
  return given;
};

/** The last part of the path is the topic. */
const topicUrl: Form<string> = (value, name) => {
  const given = url(value, name);
  if (new URL(given).pathname.endsWith('/'))
    throw wrong(name, 'a URL without a topic, as https://ntfy.sh/topic');
  return given;
};

const host: Form<string> = (value, name) => {
  const given = text(value, name);
  if (!isHostName(given) && isIP(given) === 0) throw wrong(name, 'not a host name or an address');
  return given;
};

/** No quotes, so that every program reads the same mailbox in it. */
const ADDRESS = /^[^\s@"<>(),:;\\[\]]{1,64}@[^\s@"<>(),:;\\[\]]{1,189}$/;

const address: Form<string> = (value, name) => {
  const given = text(value, name);
  if (!ADDRESS.test(given)) throw wrong(name, 'not a mail address, as name@example.org');
  return given;
};

const MAILTO = /^mailto:[^@\s]+@[^@\s]+\.[^@\s.]+$/;

/** Apple's push service refuses what leads to no owner, such as `localhost` [RFC 8292, 2.1]. */
const contact: Form<string> = (value, name) => {
  const given = text(value, name);
  const host = URL.canParse(given) && given.startsWith('https:') ? new URL(given).hostname : '';
  if (!MAILTO.test(given) && !/\.[a-z]{2,}$/i.test(host)) {
    throw wrong(name, 'not mailto:NAME@DOMAIN or https://DOMAIN');
  }
  return given;
};

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const headers: Form<Record<string, string>> = (value, name) => {
  if (!isObject(value)) throw wrong(name, 'not an object');
  for (const [key, each] of Object.entries(value)) {
    const line = text(each, `${name}.${key}`);
    if (!HEADER_NAME.test(key) || /\p{Cc}/u.test(line)) throw wrong(`${name}.${key}`, 'not a header');
  }
  return value as Record<string, string>;
};

const template: Form<string> = (value, name) => {
  const given = text(value, name);
  try {
    JSON.parse(given.replace(/\{\{\w+\}\}/g, ''));
  } catch {
    throw wrong(name, 'not JSON with {{name}} in its texts');
  }
  return given;
};

const ID = /^[a-z0-9-]{1,32}$/;

const id: Form<string> = (value, name) => {
  if (!ID.test(text(value, name))) throw wrong(name, 'not 1 to 32 of a-z, 0-9 and -');
  return value as string;
};

const or = (value: unknown) => ({ value });

const COMMON: Readonly<Record<string, Field>> = {
  id: { form: id },
  type: { form: text },
  group: { form: whole(1, 9), fallback: or(1) },
  kinds: { form: listOf(oneOf(...ALL_KINDS)), fallback: or(undefined) },
  panels: { form: listOf(text), fallback: or(undefined) },
};

const TYPES: Readonly<Record<ChannelSettings['type'], Readonly<Record<string, Field>>>> = {
  webhook: {
    url: { form: url, isSecret: true },
    method: { form: oneOf('POST', 'PUT'), fallback: or('POST') },
    headers: { form: headers, fallback: or({}), isSecret: true },
    body: { form: template, fallback: or(undefined) },
    secrets: { form: listOf(text), fallback: or([]), isSecret: true },
    allow_private: { form: flag, fallback: or(false) },
  },
  ntfy: {
    url: { form: topicUrl },
    token: { form: text, fallback: or(undefined), isSecret: true },
    allow_private: { form: flag, fallback: or(false) },
  },
  push: { contact: { form: contact } },
  email: {
    host: { form: host },
    port: { form: whole(1, 65_535), fallback: or(587) },
    security: { form: oneOf('starttls', 'tls', 'none'), fallback: or('starttls') },
    user: { form: text, fallback: or(undefined) },
    password: { form: text, fallback: or(undefined), isSecret: true },
    from: { form: address },
    to: { form: listOf(address) },
  },
};

const seconds = whole(0, LONGEST_WAIT);

const RULES: Readonly<Record<keyof PanelRules, Form<unknown>>> = {
  unreachable_after: seconds,
  door_open_after: (value, name) => (value === null ? null : seconds(value, name)),
  kinds: listOf(oneOf(...ALL_KINDS)),
};

/**
 * Reads the settings.
 * @param before those whose secrets are kept where KEPT_SECRET stands
 * @throws InvalidRequest with the name of the first wrong field
 */
export function parseSettings(body: JsonObject, before: AlertSettings = NO_SETTINGS): AlertSettings {
  refuseOthers(body, ['channels', 'rules', 'panels'], '');
  const channels = listOf((value, name) => channelOf(value, name, before))(body.channels ?? [], 'channels');
  if (channels.length > CHANNELS) throw wrong('channels', `more than ${CHANNELS}`);
  const ids = channels.map((channel) => channel.id);
  const twice = ids.find((each, index) => ids.indexOf(each) < index);
  if (twice !== undefined) throw wrong('channels', `two with the id ${twice}`);
  const panels = Object.entries(objectOf(body.panels ?? {}, 'panels'));
  return {
    channels,
    rules: { ...DEFAULT_RULES, ...rulesIn(body.rules ?? {}, 'rules') },
    panels: Object.fromEntries(panels.map(([panel, rules]) => [panel, rulesIn(rules, `panels.${panel}`)])),
  };
}

function channelOf(value: Json, name: string, before: AlertSettings): ChannelSettings {
  const given = objectOf(value, name);
  const type = oneOf(...(Object.keys(TYPES) as ChannelSettings['type'][]))(given.type ?? '', `${name}.type`);
  const fields = { ...COMMON, ...TYPES[type] };
  refuseOthers(given, Object.keys(fields), `${name}.`);
  const known = before.channels.find((each) => each.id === given.id && each.type === type);
  const entries = Object.entries(fields).map(([key, field]) => {
    const where = `${name}.${key}`;
    if (field.isSecret !== true || given[key] !== KEPT_SECRET)
      return [key, fieldOf(given, key, field, where)];
    if (known === undefined) throw wrong(where, 'there is no secret to keep');
    return [key, known[key as keyof typeof known]];
  });
  return Object.fromEntries(entries.filter(([, each]) => each !== undefined)) as ChannelSettings;
}

function fieldOf(given: JsonObject, key: string, { form, fallback }: Field, name: string): unknown {
  const value = Object.hasOwn(given, key) ? given[key] : undefined;
  if (value !== undefined && value !== null) return form(value, name);
  if (fallback === undefined) throw new InvalidRequest(name, 'required', 'is needed');
  return fallback.value;
}

function rulesIn(value: Json, name: string): Partial<PanelRules> {
  const given = objectOf(value, name);
  refuseOthers(given, Object.keys(RULES), `${name}.`);
  const entries = Object.entries(given).map(([key, each]) => [
    key,
    RULES[key as keyof PanelRules](each, `${name}.${key}`),
  ]);
  return Object.fromEntries(entries) as Partial<PanelRules>;
}

function objectOf(value: Json, name: string): JsonObject {
  if (!isObject(value)) throw wrong(name, 'not an object');
  return value;
}

function refuseOthers(given: JsonObject, known: readonly string[], prefix: string): void {
  const other = Object.keys(given).find((key) => !known.includes(key));
  if (other !== undefined) throw wrong(`${prefix}${other}`, `unknown; known are ${known.join(', ')}`);
}

/** The settings as they are shown: without secrets. */
export function shownSettings(settings: AlertSettings): object {
  const channels = settings.channels.map((channel) =>
    Object.fromEntries(
      Object.entries(channel).map(([key, value]) => [
        key,
        TYPES[channel.type][key]?.isSecret === true ? KEPT_SECRET : value,
      ]),
    ),
  );
  return { ...settings, channels };
}
