/** A panel's past, as the spans of time in which its reports were the same. Pure; times in milliseconds since 1970. */

import { isCurrentDocument, legible } from '../../../../shared/current-document.js';
import type { TwinDocument } from '../../../../shared/document.js';

/** A connected panel reports every minute. After this long without a report there was no contact. */
export const SILENCE_MS = 150_000;

export interface Said {
  readonly armed: boolean;
  readonly open: boolean;
  readonly ringing: boolean;
}

/** The panel reported this first at `from`, with version `first` of its document, and last at `to`, with version `last`. */
export interface Run extends Said {
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly last: number;
  /** While it rings: what has rung, in the words of the panel. */
  readonly alarm?: readonly string[];
}

/** The run of one version of `current`; undefined when that is not of an alarm panel. */
export function runOf({ data, updated_at, version }: TwinDocument): Run | undefined {
  const at = Date.parse(updated_at);
  if (!isCurrentDocument(data) || Number.isNaN(at)) return undefined;
  const { alarm_armed: armed, door_open: open, siren_ringing: ringing, last_alarm } = legible(data);
  const alarm = ringing && last_alarm !== undefined ? { alarm: last_alarm.contacts } : {};
  return { armed, open, ringing, from: at, to: at, first: version, last: version, ...alarm };
}

/** Makes runs, oldest first, of the versions of a history, newest first. */
export function runsOf(history: readonly TwinDocument[]): Run[] {
  const runs: Run[] = [];
  for (const document of [...history].reverse()) {
    const run = runOf(document);
    if (run !== undefined) append(runs, run);
  }
  return runs;
}

/** Appends newer runs. One that is not newer is known already. */
export function joined(runs: readonly Run[], newer: readonly Run[]): readonly Run[] {
  const all = [...runs];
  for (const run of newer) append(all, run);
  return all;
}

/** The runs that last until `since` or longer. */
export const recent = (runs: readonly Run[], since: number): readonly Run[] =>
  runs.every(({ to }) => to >= since) ? runs : runs.filter(({ to }) => to >= since);

/** The last ringing: from its first report to its last one, whatever else changed meanwhile. */
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

/** Whether it is not known what was between the two: there was no contact, or no record. */
export const isGap = (before: Run, after: Run): boolean =>
  after.from - before.to > SILENCE_MS || isUnrecorded(before, after);

/** Whether there were reports between the two that this phone does not have. */
export const isUnrecorded = (before: Run, after: Run): boolean => after.first > before.last + 1;

function append(runs: Run[], run: Run): void {
  const last = runs.at(-1);
  if (last === undefined) runs.push(run);
  else if (run.to < last.to || (run.to === last.to && run.last <= last.last)) return;
  else if (isSame(last, run) && !isGap(last, run))
    runs[runs.length - 1] = { ...last, ...run, from: last.from, first: last.first };
  else runs.push(run);
}
