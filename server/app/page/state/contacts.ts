/** A panel's contacts and its running delay, in words. */

import { DEFAULT_MODE } from '../../../../shared/current-document.js';
import type { ContactReport, CurrentDocument, Mode } from '../../../../shared/panel.js';
import type { Panel } from './panel.js';
import { listed, say } from './say.js';

export const MODES: readonly Mode[] = ['away', 'home', 'night'];

/** Another panel may have other modes. */
export const modeName = (mode: Mode): string => (MODES.includes(mode) ? say(`mode.${mode}`) : mode);

/** The mode that a press of Arm orders first: that of the last time. Undefined where there is nothing to choose. */
export function modeOf({ current }: Panel): Mode | undefined {
  const { contacts = {}, mode = DEFAULT_MODE } = current?.data ?? {};
  return Object.values(contacts).filter(isWatched).length > 1 ? mode : undefined;
}

const isWatched = ({ kind }: ContactReport): boolean => kind !== 'key';

interface ContactFact {
  readonly name: string;
  readonly isOpen: boolean;
  readonly text: string;
}

/** Every contact that opens and closes; one without a name for a panel that has only a door. */
export function contactFacts({ current }: Panel): ContactFact[] {
  if (current === undefined) return [{ name: 'door', isOpen: false, text: say('door.unknown') }];
  const { contacts, door_open } = current.data;
  if (contacts === undefined) {
    const text = door_open ? say('door.open') : say('door.closed');
    return [{ name: 'door', isOpen: door_open, text }];
  }
  return Object.entries(contacts)
    .filter(([, report]) => isWatched(report))
    .map(([name, report]) => ({
      name,
      isOpen: report.open || report.fault !== undefined,
      text: factText(capital(name), report),
    }));
}

function factText(name: string, { open, fault, bypassed }: ContactReport): string {
  const contact = say(`contact.${fault ?? (open ? 'open' : 'closed')}`, { name });
  return bypassed === true ? say('contact.left-out', { contact }) : contact;
}

const capital = (name: string): string => name.slice(0, 1).toLocaleUpperCase() + name.slice(1);

/** The open contacts, or that all are closed, in one sentence without a full stop. */
export function contactsText(panel: Panel): string {
  const facts = contactFacts(panel);
  if (facts.length === 1) return facts[0]?.text ?? '';
  const open = facts.filter(({ isOpen }) => isOpen);
  return open.length === 0 ? say('contact.all-closed') : open.map(({ text }) => text).join(', ');
}

/** What rang, where the panel says it; otherwise what is open. */
export function rangText(panel: Panel): string {
  const { contacts, last_alarm } = panel.current?.data ?? {};
  return contacts === undefined || last_alarm === undefined
    ? contactsText(panel)
    : say('rang.what', { names: last_alarm.contacts.join(', ') });
}

/** Seconds until the running delay ends, at least 0; undefined while none runs. @param now the server's clock */
export function secondsLeft({ current }: Panel, now: number): number | undefined {
  if (current === undefined) return undefined;
  const end = endOf(current.data, current.at);
  return end === undefined ? undefined : Math.max(0, Math.ceil((end - now) / 1000));
}

function endOf({ until, remaining }: CurrentDocument, at: number): number | undefined {
  if (remaining !== undefined) return at + remaining * 1000;
  const end = Date.parse(until ?? '');
  return Number.isNaN(end) ? undefined : end;
}

/** What to do while a delay runs; '' while none runs. @param now the server's clock */
export function delayText(panel: Panel, now: number): string {
  const state = panel.current?.data.state;
  if (state !== 'arming' && state !== 'pending') return '';
  const seconds = secondsLeft(panel, now);
  return seconds === undefined ? say(`delay.${state}`) : say(`delay.${state}.left`, { seconds });
}

/** The contacts that kept the panel from arming; none when it refused for another reason, or did not refuse. */
export function inTheWay({ current }: Panel): readonly string[] {
  const { refused, contacts = {} } = current?.data ?? {};
  if (refused?.reason !== 'a contact is open') return [];
  return (refused.contacts ?? []).filter((name) => Object.hasOwn(contacts, name));
}

/** What the button says that arms without the contacts in the way. */
export const bypassText = (names: readonly string[]): string => say('arm.without', { names: listed(names) });
