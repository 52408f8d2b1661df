/** What a person orders of a panel, and what the panel says of itself. */

import { isCurrentDocument, legible, MODES } from '../../shared/current-document.js';
import { isObject, type TwinDocument } from '../../shared/document.js';
import { type ContactReport, CURRENT, type CurrentDocument, type Mode } from '../../shared/panel.js';
import { documentPath, type Order, type Outcome, orderArmed, pathOf } from '../../shared/rest.js';
import { UsageError } from '../../shared/usage.js';
import { Refused } from './api.js';
import { type Call, documentText, type Given, show } from './command.js';

/** How long `--wait` waits, in seconds: as long as the server does. */
const WAIT_SECONDS = 30;

/** The panel has not done what it was asked to. The message is for the person at the terminal. */
class NotApplied extends Error {
  override name = 'NotApplied';
}

export const order = (armed: boolean) => async (call: Call) => {
  const [id = ''] = call.words;
  const wish = armed ? { armed, ...modeOf(call.given), ...bypassOf(call.given) } : { armed };
  const seconds = call.given.wait === true ? WAIT_SECONDS : undefined;
  const answer = await orderArmed(call.api.call, id, wish, errorOf, seconds);
  if (seconds === undefined) return show(call, answer, documentText);
  if (answer.applied !== true) throw new NotApplied(obstacleText(answer));
  show(call, answer, ({ state }) => `The panel is ${state ?? (armed ? 'armed' : 'disarmed')}.`);
};

const errorOf = (rejection: unknown) => (rejection instanceof Refused ? rejection.error : {});

/** @throws UsageError */
function modeOf({ mode }: Given): Pick<Order, 'mode'> {
  if (mode === undefined) return {};
  if (!MODES.includes(mode as Mode))
    throw new UsageError(`--mode ${mode}: expected one of ${MODES.join(', ')}`);
  return { mode: mode as Mode };
}

const bypassOf = ({ bypass }: Given): Pick<Order, 'bypass'> =>
  bypass === undefined ? {} : { bypass: String(bypass).split(',') };

function obstacleText({ refused, fault }: Partial<Outcome>): string {
  if (isObject(refused)) {
    if (refused.reason === 'not a valid value' && refused.key === 'bypass')
      return 'the panel refused: a name in --bypass is none of its contacts';
    const key = typeof refused.key === 'string' ? `: ${refused.key}` : '';
    const contacts = Array.isArray(refused.contacts) ? `: ${refused.contacts.join(', ')}` : '';
    return `the panel refused: ${refused.reason}${key}${contacts}`;
  }
  if (fault !== undefined) return `the panel cannot follow: fault ${fault}`;
  return `the panel has not followed within ${WAIT_SECONDS} s: the order stands, and counts when the panel is back`;
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
  show(call, { device, current }, statusText);
}

function statusText({ device: { name, is_connected }, current }: Status): string {
  const data = current?.data;
  if (current === null || !isCurrentDocument(data)) return `${name}: not heard of yet`;
  const said = legible(data);
  const contact = is_connected ? 'connected' : 'no contact';
  return [
    `${name}: ${said.state ?? (said.alarm_armed ? 'armed' : 'disarmed')}${modeText(said)}`,
    ...contactTexts(said),
    `siren ${said.siren_ringing ? 'ringing' : 'silent'}`,
    ...alarmText(said),
    `${contact}, last report ${current.updated_at}`,
  ].join('\n');
}

const modeText = ({ alarm_armed, mode, until, remaining }: CurrentDocument): string => {
  const left =
    until !== undefined ? `, until ${until}` : remaining !== undefined ? `, ${remaining} s left` : '';
  return `${alarm_armed && mode !== undefined ? `, mode ${mode}` : ''}${left}`;
};

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
