/** The wires of a panel's contacts on this machine: which way each one is, and the level that its pin has of it. */

import type { ContactLevel } from '../board.js';
import type { ContactConfig } from '../config.js';
import { levelOf } from '../contact.js';

/** What the panel can tell of a contact. A key at rest is open. */
export type Line = 'open' | 'closed' | 'cut' | 'shorted';

/** Of a pin that is pulled up, and of a voltage as a part of the range of the converter, which 3.3 V exceed. */
const DIGITAL: Record<Line, number> = { open: 1, closed: 0, cut: 1, shorted: 0 };
const ANALOG: Record<Line, number> = { open: 0.65, closed: 0.43, cut: 1, shorted: 0 };
const INVERTED: Record<Line, Line> = { open: 'closed', closed: 'open', cut: 'cut', shorted: 'shorted' };

/** The name is none of the panel's contacts. The message lists those that it has. */
export class NoSuchContact extends Error {
  override name = 'NoSuchContact';
}

export class ContactLines {
  readonly #contacts: readonly ContactConfig[];
  readonly #lines: Line[];
  readonly #onEdge: (pin: string) => void;

  /** Doors and windows are closed, and keys at rest. `onEdge` is called when the level of a pin has become another. */
  constructor(contacts: readonly ContactConfig[], onEdge: (pin: string) => void) {
    this.#contacts = contacts;
    this.#lines = contacts.map(({ kind }) => (kind === 'key' ? 'open' : 'closed'));
    this.#onEdge = onEdge;
  }

  /** What the panel sees when the wires have been as they are for a while. */
  get levels(): ContactLevel[] {
    return this.#contacts.map((contact, index) => levelOf(this.level(pinOf(index)) ?? 0, contact));
  }

  /** By the names of the contacts, what the panel has seen. */
  named(levels: readonly ContactLevel[]): Record<string, Line> {
    const lines = levels.map((level) => (typeof level === 'string' ? level : level ? 'open' : 'closed'));
    return Object.fromEntries(this.#contacts.map(({ name }, index) => [name, lines[index] ?? 'closed']));
  }

  /** As the board reads the contact whose pin has this name; undefined for any other pin. */
  level(pin: string): number | undefined {
    const index = this.#contacts.findIndex((_, each) => pinOf(each) === pin);
    const [contact, line] = [this.#contacts[index], this.#lines[index]];
    if (contact === undefined || line === undefined) return undefined;
    const wired = contact.inverted ? INVERTED[line] : line;
    return (contact.line === 'resistor' ? ANALOG : DIGITAL)[wired];
  }

  /** @throws NoSuchContact */
  set(name: string, line: Line): void {
    const index = this.#contacts.findIndex((contact) => contact.name === name);
    if (index < 0) throw new NoSuchContact(`there is no contact "${name}": ${this.#names()}`);
    const pin = pinOf(index);
    const before = this.level(pin);
    this.#lines[index] = line;
    if (this.level(pin) !== before) this.#onEdge(pin);
  }

  /** The name of the first contact of a kind. @throws NoSuchContact */
  first(kind: ContactConfig['kind']): string {
    const contact = this.#contacts.find((each) => each.kind === kind);
    if (contact === undefined)
      throw new NoSuchContact(`there is no contact of the kind ${kind}: ${this.#names()}`);
    return contact.name;
  }

  #names(): string {
    return this.#contacts.map(({ name, kind }) => `${name} (${kind})`).join(', ');
  }
}

/** As the board of this machine names the pins. */
const pinOf = (index: number): string => `contact ${index}`;
