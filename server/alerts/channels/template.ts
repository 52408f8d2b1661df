/**
 * The texts of messages: with `{{name}}` in them, and cut to a length. There is a fixed list of names, and one way to write
 * a value for each kind of text.
 */

import type { Message } from './channel.js';

export const VALUES: Readonly<Record<string, (message: Message) => string>> = {
  id: ({ id }) => id,
  alert_id: ({ alert }) => alert.id,
  kind: ({ alert }) => alert.kind,
  telling: ({ telling }) => telling,
  state: ({ alert }) => alert.state,
  panel: ({ alert }) => alert.panel,
  panel_id: ({ alert }) => alert.panel_id ?? '',
  subject: ({ alert }) => alert.subject,
  title: ({ title }) => title,
  text: ({ text }) => text,
  raised_at: ({ alert }) => alert.raised_at,
  at: ({ at }) => at,
  link: ({ link }) => link,
};

type Target = 'json' | 'html' | 'line' | 'plain';

const HTML: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const WRITE: Readonly<Record<Target, (value: string) => string>> = {
  /** Inside a JSON string. */
  json: (value) => JSON.stringify(value).slice(1, -1),
  html: (value) => value.replace(/[&<>"']/g, (sign) => HTML[sign] ?? ''),
  plain: (value) => value,
  /** A header has one line. */
  line: (value) => value.replace(/\p{Cc}+/gu, ' '),
};

const NAME = /\{\{(\w+)\}\}/g;

/** A name that is not in the list stays as it stands. */
export const filled = (template: string, message: Message, target: Target): string =>
  template.replace(NAME, (whole, name: string) =>
    Object.hasOwn(VALUES, name) ? WRITE[target](VALUES[name]?.(message) ?? '') : whole,
  );

/** The text, cut at a character so that it has at most so many bytes of UTF-8. */
export function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  let length = 0;
  let end = 0;
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > bytes - Buffer.byteLength('…')) break;
    end += character.length;
  }
  return `${text.slice(0, end)}…`;
}
