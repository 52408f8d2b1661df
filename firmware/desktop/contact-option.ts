/** The option `--contact`, and what a list of contacts must keep to, wherever it was written. */

import { CONTACT_KINDS, MODES } from '../../shared/current-document.js';
import type { ContactKind, Mode } from '../../shared/panel.js';
import { UsageError } from '../../shared/usage.js';
import type { ContactConfig } from '../config.js';

/** A contact as a board knows it. */
export interface WiredContact extends ContactConfig {
  /** The number of its GPIO. */
  pin?: number;
}

/** Of any chip. */
export const LAST_GPIO = 48;

/** The panel reports every contact by its name in one document of at most 4 KiB, and keeps names in flash. */
const MOST_CONTACTS = 8;
/** In bytes of UTF-8. */
const LONGEST_NAME = 32;
/** A colon parts the words of the option, and a comma parts names elsewhere. */
const NAME = /^[^\p{C}\p{Z}:,]([^\p{C}\p{Zl}\p{Zp}:,]*[^\p{C}\p{Z}:,])?$/u;
/** No key of a document may be this. */
const FORBIDDEN_NAME = '__proto__';

/** What may follow the kind, and what it says of the contact. */
const WORDS: Record<string, Partial<ContactConfig>> = {
  inverted: { inverted: true },
  silent: { silentWhileDisarmed: true },
  resistor: { line: 'resistor' },
};

export const CONTACT_HELP = `KIND is entry (starts the entry delay), instant, always (24 hours: tamper, panic button, smoke) or
key (a key switch or button: arms and disarms). More words may follow, each after a colon:
  away,home           the modes in which the contact counts; by default all
  inverted            a closed contact means open, or a key at rest
  silent              an always contact that does not ring while the panel is disarmed
  resistor            the line has two resistors at its end, which tell a cut and a short apart`;

/** @param given `NAME:KIND`, and more words. @throws UsageError */
export function contactFrom(given: string): ContactConfig {
  const [name = '', ...words] = given.split(':');
  if (words.length === 0) refuse(given, 'expected NAME:KIND, such as "front door:entry"');
  return contactOf(given, name, words);
}

/** @param given `NAME:GPIO:KIND`, and more words. @throws UsageError */
export function wiredContactFrom(given: string): WiredContact {
  const [name = '', pin = '', ...words] = given.split(':');
  if (words.length === 0) refuse(given, 'expected NAME:GPIO:KIND, such as "front door:27:entry"');
  if (!/^\d{1,2}$/.test(pin) || Number(pin) > LAST_GPIO)
    refuse(given, `expected a GPIO from 0 to ${LAST_GPIO}`);
  return { ...contactOf(given, name, words), pin: Number(pin) };
}

function contactOf(given: string, name: string, [kind, ...words]: string[]): ContactConfig {
  const contact = { name, kind: kind as ContactKind };
  for (const word of words) Object.assign(contact, meaningOf(given, word));
  return contact;
}

function meaningOf(given: string, word: string): Partial<ContactConfig> {
  const modes = word.split(',').filter((mode) => mode !== '') as Mode[];
  if (Object.hasOwn(WORDS, word)) return WORDS[word] as Partial<ContactConfig>;
  if (modes.length > 0 && modes.every((mode) => MODES.includes(mode))) return { modes };
  return refuse(
    given,
    `"${word}" is neither a mode (${MODES.join(', ')}) nor ${Object.keys(WORDS).join(', ')}`,
  );
}

/**
 * From the command line or from a file that a person has edited.
 * @throws UsageError with what is wrong, in one line
 */
export function checkContacts(contacts: unknown): asserts contacts is readonly WiredContact[] {
  if (!Array.isArray(contacts) || contacts.length === 0 || contacts.length > MOST_CONTACTS)
    throw new UsageError(`a panel has 1 to ${MOST_CONTACTS} contacts`);
  const names = contacts.map((contact: Partial<ContactConfig> | null) => contact?.name);
  for (const contact of contacts) checkContact({ ...contact });
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new UsageError(`two contacts have the name ${JSON.stringify(twice)}`);
}

function checkContact({
  name,
  kind,
  modes,
  line,
  silentWhileDisarmed,
}: Partial<Record<keyof ContactConfig, unknown>>): void {
  if (!isName(name))
    refuse(name, `a name has 1 to ${LONGEST_NAME} bytes that can be printed, without a colon or comma`);
  if (!CONTACT_KINDS.includes(kind as ContactKind))
    refuse(name, `expected as its kind ${CONTACT_KINDS.join(', ')}, not "${kind}"`);
  if (
    modes !== undefined &&
    !(Array.isArray(modes) && modes.length > 0 && modes.every((mode) => MODES.includes(mode)))
  )
    refuse(name, `expected as its modes some of ${MODES.join(', ')}`);
  if (modes !== undefined && (kind === 'key' || kind === 'always'))
    refuse(name, `a contact of the kind ${kind} has no modes`);
  if (silentWhileDisarmed && kind !== 'always') refuse(name, 'only an always contact can be silent');
  if (line !== undefined && line !== 'resistor') refuse(name, 'expected as its line resistor');
}

const isName = (name: unknown): name is string =>
  typeof name === 'string' &&
  NAME.test(name) &&
  Buffer.byteLength(name) <= LONGEST_NAME &&
  name !== FORBIDDEN_NAME;

function refuse(contact: unknown, reason: string): never {
  throw new UsageError(`--contact ${JSON.stringify(contact)}: ${reason}`);
}
