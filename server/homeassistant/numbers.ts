/** The numbers of a panel's contacts: the unique ids of their entities, which outlive a change of name. */

import type { ContactKind, ContactReport } from '../../shared/panel.js';

export interface Numbered {
  readonly name: string;
  readonly number: number;
  readonly kind: ContactKind;
}

export interface Numbers {
  readonly contacts: readonly Numbered[];
  /** The next number. No number is given twice. */
  readonly next: number;
}

export const NO_NUMBERS: Numbers = { contacts: [], next: 1 };

/**
 * Gives each contact its number. Where as many names have gone as have come, the contacts were renamed, and each keeps its
 * number, in their order and by their kind.
 */
export function numbered(before: Numbers, contacts: Readonly<Record<string, ContactReport>>): Numbers {
  const gone = before.contacts.filter(({ name }) => !Object.hasOwn(contacts, name));
  const come = Object.keys(contacts).filter((name) => !before.contacts.some((known) => known.name === name));
  const renamed = gone.length === come.length ? [...gone] : [];
  let { next } = before;
  const numberOf = (name: string, kind: ContactKind): number => {
    const known = before.contacts.find((each) => each.name === name);
    if (known !== undefined) return known.number;
    const index = renamed.findIndex((each) => each.kind === kind);
    const [former] = index === -1 ? [] : renamed.splice(index, 1);
    if (former !== undefined) return former.number;
    next += 1;
    return next - 1;
  };
  const now = Object.entries(contacts).map(([name, { kind }]) => ({
    name,
    number: numberOf(name, kind),
    kind,
  }));
  return { contacts: now, next };
}
