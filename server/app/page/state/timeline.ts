/** What the timeline shows: the spans in which something was so, and those of which nothing is known. Milliseconds since 1970. */

import { isGap, isUnrecorded, type Run, type Said } from './runs.js';
import { say } from './say.js';
import { durationText } from './time-text.js';

export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Timeline extends Span {
  readonly armed: readonly Span[];
  readonly open: readonly Span[];
  readonly ringing: readonly Span[];
  /** There was no contact with the panel. */
  readonly lost: readonly Span[];
  /** There is no record. */
  readonly unrecorded: readonly Span[];
}

/**
 * @param runs oldest first
 * @param lostAt when the contact was lost; undefined while there is contact
 */
export function timelineOf(runs: readonly Run[], window: Span, lostAt: number | undefined): Timeline {
  const held = heldRuns(runs, window, lostAt);
  const spans = (is: (said: Said) => boolean): Span[] => merged(held.filter(is).flatMap(within(window)));
  const unknown = unknownSpans(held, window.to);
  return {
    ...window,
    armed: spans(({ armed }) => armed),
    open: spans(({ open }) => open),
    ringing: spans(({ ringing }) => ringing),
    lost: unknown.filter(({ isLost }) => isLost).flatMap(within(window)),
    unrecorded: unknown.filter(({ isLost }) => !isLost).flatMap(within(window)),
  };
}

/** Lets each run last until the next one begins, unless it is not known what was between them. */
function heldRuns(runs: readonly Run[], window: Span, lostAt: number | undefined): Run[] {
  return runs.map((run, index) => {
    const next = runs[index + 1];
    if (next !== undefined) return isGap(run, next) ? run : { ...run, to: next.from };
    return { ...run, to: Math.max(run.to, Math.min(lostAt ?? window.to, window.to)) };
  });
}

interface Unknown extends Span {
  /** There was no contact; otherwise there is no record. */
  readonly isLost: boolean;
}

/** The spans between the runs, from the beginning of time to an end. */
function unknownSpans(held: readonly Run[], end: number): Unknown[] {
  const found: Unknown[] = [];
  let before: Run | undefined;
  for (const run of held) {
    const from = before?.to ?? Number.NEGATIVE_INFINITY;
    const isLost = before !== undefined && !isUnrecorded(before, run);
    if (run.from > from) found.push({ from, to: run.from, isLost });
    before = run;
  }
  const from = before?.to ?? Number.NEGATIVE_INFINITY;
  if (from < end) found.push({ from, to: end, isLost: before !== undefined });
  return found;
}

const within =
  (window: Span) =>
  ({ from, to }: Span): Span[] => {
    const span = { from: Math.max(from, window.from), to: Math.min(to, window.to) };
    return span.from < span.to || (from === to && from >= window.from && to <= window.to) ? [span] : [];
  };

function merged(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last?.to === span.from) joined[joined.length - 1] = { from: last.from, to: span.to };
    else joined.push(span);
  }
  return joined;
}

const durationOf = (spans: readonly Span[]): number =>
  spans.reduce((sum, { from, to }) => sum + to - from, 0);

/** The full hours inside a span that get a mark below the picture. */
export function marksIn({ from, to }: Span, isMark: (date: Date) => boolean): number[] {
  const marks: number[] = [];
  const date = new Date(from);
  date.setMinutes(0, 0, 0);
  for (date.setHours(date.getHours() + 1); date.getTime() < to; date.setHours(date.getHours() + 1)) {
    if (isMark(date)) marks.push(date.getTime());
  }
  return marks;
}

/** The picture in one sentence, for a screen reader. */
export function summaryText(
  range: 'day' | 'week',
  { armed, open, ringing, lost, unrecorded }: Timeline,
): string {
  const parts = [
    say('summary.armed', { duration: durationText(durationOf(armed)) }),
    say('summary.open', { count: open.length }),
    say('summary.ringing', { count: ringing.length }),
  ];
  if (lost.length > 0) parts.push(say('summary.lost', { duration: durationText(durationOf(lost)) }));
  if (unrecorded.length > 0)
    parts.push(say('summary.unrecorded', { duration: durationText(durationOf(unrecorded)) }));
  return say(`summary.${range}`, { parts: parts.join(', ') });
}
