/** The timeline in words: a line for each thing that happened, newest first. Milliseconds since 1970. */

import { causeOf, type Made } from './orders.js';
import { isGap, type Run } from './runs.js';
import { say } from './say.js';
import { durationText } from './time-text.js';
import type { Span } from './timeline.js';

export type Kind = 'armed' | 'disarmed' | 'opened' | 'closed' | 'rang' | 'silent' | 'lost' | 'back';

interface Happening {
  readonly kind: Kind;
  readonly at: number;
  readonly text: string;
}

const FIELDS = ['armed', 'open', 'ringing'] as const;

/** What the change of a field to its value in a run is, with its cause where that is known. */
const CHANGES: Record<Field, (run: Run, orders: readonly Made[]) => [Kind, string]> = {
  armed: ({ armed, from }, orders) => {
    const kind = armed ? 'armed' : 'disarmed';
    const cause = causeOf(orders, armed, from);
    if (cause === undefined) return [kind, say(`happened.${kind}`)];
    if (cause === 'door') return [kind, say(`happened.${kind}.door`)];
    return [kind, say(`happened.${kind}.by`, { who: cause.by })];
  },
  open: ({ open }) => (open ? ['opened', say('happened.opened')] : ['closed', say('happened.closed')]),
  ringing: ({ ringing, alarm = [] }) => {
    if (!ringing) return ['silent', say('happened.silent')];
    const names = alarm.join(', ');
    return ['rang', names === '' ? say('happened.rang') : say('happened.rang.what', { names })];
  },
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
    all.push({ kind: 'lost', at: Math.max(lostAt, last.to), text: say('happened.lost') });
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
    found.push({ kind: 'lost', at: before.to, text: say('happened.lost') });
    found.push({
      kind: 'back',
      at: run.from,
      text: say('happened.back', { duration: durationText(run.from - before.to) }),
    });
  }
  for (const field of FIELDS) {
    if (before[field] === run[field]) continue;
    const [kind, what] = CHANGES[field](run, orders);
    const begun = run[field] || wasLost ? undefined : begunAt(field);
    const text = begun === undefined ? what : lastedText(field, what, run.from - begun);
    found.push({ kind, at: run.from, text: wasLost ? say('happened.unseen', { what }) : text });
  }
  return found;
}

const lastedText = (field: Field, what: string, duration: number): string =>
  say(`happened.${field}.lasted`, { what, duration: durationText(duration) });

/** When the field became true that is true at a run; undefined where that is not known. */
function beginOf(runs: readonly Run[], index: number, field: Field): number | undefined {
  for (let at = index; at > 0; at -= 1) {
    const [before, run] = [runs[at - 1], runs[at]];
    if (before === undefined || run === undefined || isGap(before, run)) return undefined;
    if (!before[field]) return run.from;
  }
  return undefined;
}
