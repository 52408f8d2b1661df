/** What a person orders of a panel, and what the panel says of itself. */

import { isCurrentDocument, legible } from '../../shared/current-document.js';
import { isObject, type JsonObject, type TwinDocument } from '../../shared/document.js';
import { type ContactReport, CURRENT, type CurrentDocument, type Mode } from '../../shared/panel.js';
import { documentPath, type Order, type Outcome, orderArmed, pathOf } from '../../shared/rest.js';
import { Refused, Unreachable } from './api.js';
import { type Call, documentText, show } from './command.js';

/** How long an order waits for the panel, in seconds: as long as the server does. */
const WAIT_SECONDS = 30;

/** Exit statuses of an order that the panel has not followed. */
export const ORDER_EXIT = { notConfirmed: 3, refused: 4 } as const;

/** The panel has not done what it was asked to. The message is for the person at the terminal. */
export class NotApplied extends Error {
  override name = 'NotApplied';
  constructor(
    message: string,
    readonly exitStatus: (typeof ORDER_EXIT)[keyof typeof ORDER_EXIT],
  ) {
    super(message);
  }
}

export const order = (armed: boolean) => async (call: Call) => {
  const [id = ''] = call.words;
  const { mode, bypass } = call.given;
  const wish: Order = {
    armed,
    ...(mode !== undefined && { mode: mode as Mode }),
    ...(bypass !== undefined && { bypass: String(bypass).split(',') }),
  };
  const seconds = call.given['no-wait'] === true ? undefined : WAIT_SECONDS;
  const answer = await orderArmed(call.api.call, id, wish, errorOf, seconds).catch(uncertain);
  if (seconds === undefined) return show(call, answer, documentText);
  if (answer.applied === true)
    return show(call, answer, ({ state }) => `The panel is ${state ?? (armed ? 'armed' : 'disarmed')}.`);
  if (call.json) await call.print(JSON.stringify(answer));
  throw notApplied(answer);
};

const errorOf = (rejection: unknown) => (rejection instanceof Refused ? rejection.error : {});

/** An order that was sent may stand, although its answer did not arrive. */
function uncertain(error: unknown): never {
  if (!(error instanceof Unreachable) || !error.wasSent) throw error;
  throw new NotApplied(
    `${error.message}; the order may stand: "status" shows what the panel says`,
    ORDER_EXIT.notConfirmed,
  );
}

function notApplied({ refused, fault }: Partial<Outcome>): NotApplied {
  if (isObject(refused)) return new NotApplied(refusalBy(refused), ORDER_EXIT.refused);
  if (fault !== undefined)
    return new NotApplied(`the panel cannot follow: fault ${fault}`, ORDER_EXIT.refused);
  return new NotApplied(
    `the panel has not confirmed within ${WAIT_SECONDS} s: the order stands, and counts when the panel is back`,
    ORDER_EXIT.notConfirmed,
  );
}

function refusalBy(refused: JsonObject): string {
  if (refused.reason === 'not a valid value' && refused.key === 'bypass')
    return 'the panel refused: a name in --bypass is none of its contacts';
  const key = typeof refused.key === 'string' ? `: ${refused.key}` : '';
  const contacts = Array.isArray(refused.contacts) ? `: ${refused.contacts.join(', ')}` : '';
  return `the panel refused: ${refused.reason}${key}${contacts}`;
}

interface Status {
  readonly device: { name: string; is_connected: boolean };
  /** Null before the first report. */
  readonly current: TwinDocument | null;
}

/** Prints what the panel last said, and whether it is connected. */
export async function status(call: Call): Promise<void> {
  const [id = ''] = call.words;
  const device = (await call.api.call('GET', pathOf('devices', id))) as Status['device'];
  const current = (await call.api.call('GET', documentPath(id, CURRENT)).catch((error) => {
    if (errorOf(error).resource === 'twin_document') return null;
    throw error;
  })) as Status['current'];
  await show(call, { device, current }, statusText);
}

function statusText({ device: { name, is_connected }, current }: Status): string {
  const data = current?.data;
  if (current === null || !isCurrentDocument(data)) return `${name}: not heard of yet`;
  const said = legible(data);
  const contact = is_connected ? 'connected' : 'no contact';
  return [
    `${name}: ${said.state ?? (said.alarm_armed ? 'armed' : 'disarmed')}${modeText(said)}${said.siren_ringing ? '' : leftText(said)}`,
    ...contactTexts(said),
    said.siren_ringing ? `siren ringing${leftText(said)}` : 'siren silent',
    ...alarmText(said),
    `${contact}, last report ${current.updated_at}`,
  ].join('\n');
}

const modeText = ({ alarm_armed, mode }: CurrentDocument): string =>
  alarm_armed && mode !== undefined ? `, mode ${mode}` : '';

/** When the delay under way ends, or the siren. */
const leftText = ({ until, remaining }: CurrentDocument): string =>
  until !== undefined ? `, until ${until}` : remaining !== undefined ? `, ${remaining} s left` : '';

const contactTexts = ({ door_open, contacts }: CurrentDocument): string[] =>
  contacts === undefined
    ? [`door ${door_open ? 'open' : 'closed'}`]
    : Object.entries(contacts)
        .filter(([, { kind }]) => kind !== 'key')
        .map(([name, report]) => `${name} ${contactText(report)}`);

const contactText = ({ open, fault, bypassed }: ContactReport): string =>
  `${fault === undefined ? (open ? 'open' : 'closed') : `line ${fault}`}${bypassed ? ', left out' : ''}`;

const alarmText = ({ last_alarm: alarm }: CurrentDocument): string[] =>
  alarm === undefined ? [] : [`last alarm ${[alarm.at ?? '', alarm.contacts.join(', ')].join(' ').trim()}`];
