/** A panel's past, as the spans of time in which it went on saying the same. Pure; times in milliseconds since 1970. */

import { isCurrentDocument } from '../../../../shared/current-document.js';
import type { TwinDocument } from '../../../../shared/document.js';

/** A panel that can be reached speaks every minute: after this much silence it could not be. */
export const SILENCE_MS = 150_000;

export interface Said {
  readonly armed: boolean;
  readonly open: boolean;
  readonly ringing: boolean;
}

/** It first said so at `from`, with version `first` of its document, and again up to `to`, with version `last`. */
export interface Run extends Said {
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly last: number;
}

/** What one version of `current` tells, or undefined for one of no panel. */
export function runOf({ data, updated_at, version }: TwinDocument): Run | undefined {
  const at = Date.parse(updated_at);
  if (!isCurrentDocument(data) || Number.isNaN(at)) return undefined;
  const { alarm_armed: armed, door_open: open, siren_ringing: ringing } = data;
  return { armed, open, ringing, from: at, to: at, first: version, last: version };
}

/** The history's versions, newest first as the server gives them, as runs, oldest first. */
export function runsOf(history: readonly TwinDocument[]): Run[] {
  const runs: Run[] = [];
  for (const document of [...history].reverse()) {
    const run = runOf(document);
    if (run !== undefined) append(runs, run);
  }
  return runs;
}

/** The runs with newer ones behind them; what is not newer is known already. */
export function joined(runs: readonly Run[], newer: readonly Run[]): readonly Run[] {
  const all = [...runs];
  for (const run of newer) append(all, run);
  return all;
}

/** Those that reach into the time after `since`. */
export const recent = (runs: readonly Run[], since: number): readonly Run[] =>
  runs.every(({ to }) => to >= since) ? runs : runs.filter(({ to }) => to >= since);

/** When it rang last: from the beginning, through whatever else changed meanwhile, to where it was heard last. */
export function lastRinging(runs: readonly Run[]): { from: number; to: number } | undefined {
  let found: { from: number; to: number } | undefined;
  let before: Run | undefined;
  for (const run of runs) {
    if (run.ringing) found = { from: before?.ringing === true && found ? found.from : run.from, to: run.to };
    else if (before?.ringing === true && found) found = { from: found.from, to: run.from };
    before = run;
  }
  return found;
}

const isSame = (one: Said, other: Said): boolean =>
  one.armed === other.armed && one.open === other.open && one.ringing === other.ringing;

/** Whether nobody can know what was between the two: the panel was silent, or what it said is not recorded. */
export const isGap = (before: Run, after: Run): boolean =>
  after.from - before.to > SILENCE_MS || isUnrecorded(before, after);

/** Whether the panel said something between the two that this phone does not have. */
export const isUnrecorded = (before: Run, after: Run): boolean => after.first > before.last + 1;

function append(runs: Run[], run: Run): void {
  const last = runs.at(-1);
  if (last === undefined) runs.push(run);
  else if (run.to < last.to || (run.to === last.to && run.last <= last.last)) return;
  else if (isSame(last, run) && !isGap(last, run))
    runs[runs.length - 1] = { ...last, to: run.to, last: run.last };
  else runs.push(run);
}
