/** The timeline in words: a line for each thing that happened, newest first. Pure; milliseconds since 1970. */

import { causeText, type Made } from './orders.js';
import { isGap, type Run } from './runs.js';
import { durationText } from './time-text.js';
import type { Span } from './timeline.js';

export type Kind = 'armed' | 'disarmed' | 'opened' | 'closed' | 'rang' | 'silent' | 'lost' | 'back';

interface Happening {
  readonly kind: Kind;
  readonly at: number;
  readonly text: string;
}

interface Change {
  readonly on: [Kind, string];
  readonly off: [Kind, string];
}

const CHANGES = {
  ringing: { on: ['rang', 'Siren rang'], off: ['silent', 'Siren stopped'] },
  open: { on: ['opened', 'Door opened'], off: ['closed', 'Door closed'] },
  armed: { on: ['armed', 'Armed'], off: ['disarmed', 'Disarmed'] },
} as const satisfies Record<string, Change>;

const FIELDS = ['armed', 'open', 'ringing'] as const;

/** The cause of a change, where it is known. */
const WHY: Record<Field, (run: Run, orders: readonly Made[]) => string> = {
  armed: ({ armed, from }, orders) => causeText(orders, armed, from),
  open: () => '',
  ringing: ({ alarm = [] }) => (alarm.length === 0 ? '' : `: ${alarm.join(', ')}`),
};

/**
 * @param runs oldest first
 * @param lostAt when the contact was lost; undefined while there is contact
 * @param orders oldest first
 */
export function happeningsIn(
  runs: readonly Run[],
  window: Span,
  lostAt: number | undefined,
  orders: readonly Made[] = [],
): Happening[] {
  const all: Happening[] = [];
  for (const [index, run] of runs.entries()) {
    const before = runs[index - 1];
    if (before !== undefined)
      all.push(...between(before, run, orders, (field) => beginOf(runs, index - 1, field)));
  }
  const last = runs.at(-1);
  if (lostAt !== undefined && last !== undefined) {
    all.push({ kind: 'lost', at: Math.max(lostAt, last.to), text: 'Contact lost' });
  }
  return all.filter(({ at }) => at >= window.from && at <= window.to).reverse();
}

type Field = (typeof FIELDS)[number];

function between(
  before: Run,
  run: Run,
  orders: readonly Made[],
  begunAt: (field: Field) => number | undefined,
): Happening[] {
  const wasLost = isGap(before, run);
  const found: Happening[] = [];
  if (wasLost) {
    found.push({ kind: 'lost', at: before.to, text: 'Contact lost' });
    found.push({
      kind: 'back',
      at: run.from,
      text: `Contact back after ${durationText(run.from - before.to)}`,
    });
  }
  for (const field of FIELDS) {
    if (before[field] === run[field]) continue;
    const [kind, word] = CHANGES[field][run[field] ? 'on' : 'off'];
    const begun = run[field] || wasLost ? undefined : begunAt(field);
    const after = begun === undefined ? '' : ` after ${durationText(run.from - begun)}`;
    const why = WHY[field](run, orders);
    found.push({ kind, at: run.from, text: `${word}${why}${wasLost ? ' while out of contact' : after}` });
  }
  return found;
}

/** When the field became true that is true at a run; undefined where that is not known. */
function beginOf(runs: readonly Run[], index: number, field: Field): number | undefined {
  for (let at = index; at > 0; at -= 1) {
    const [before, run] = [runs[at - 1], runs[at]];
    if (before === undefined || run === undefined || isGap(before, run)) return undefined;
    if (!before[field]) return run.from;
  }
  return undefined;
}
