/** A run beside an earlier one, row by row. */

import { isDoubtful } from './disturbance.js';
import { figureThatCounts, judge, type Measurement, type Spread } from './row.js';
import { aligned, figure, range } from './table.js';
import type { Environment } from './versions.js';

/** What `--json` writes. */
export interface Run extends Environment {
  seconds: number;
  rounds: number;
  measurements: Measurement[];
}

/** One row in both runs. */
export interface Change {
  row: string;
  /** `×` where the figures are ratios to the peer. */
  unit: string;
  before: Side;
  after: Side;
  /** After to before: 1 is no change. */
  ratio: number;
  result: Result;
}

/** A doubtful row may have lost, or gained, but one of its runs was disturbed too much to say so. */
type Result = 'lost' | 'gained' | 'same' | 'doubtful';

interface Side {
  figure: number;
  spread: Spread;
}

/** A smaller change is none, even where a figure is the same in each round. */
const LEAST_CHANGE = 0.03;
const FEW_ROUNDS = 3;
const HEADINGS = ['row', 'before (min … max)', 'after (min … max)', 'after / before', ''];
const WORDS: Record<Result, string> = { lost: 'LOST', gained: 'gained', same: '', doubtful: 'disturbed' };

/** The rule as it is printed. */
const COMPARE_RULE =
  `A row lost or gained when its figure changed by more than ${100 * LEAST_CHANGE} %, and the figure of each run is outside the\n` +
  'spread (min … max) of the other. The figure is the ratio to the peer where there is one. A new fault is a loss.\n' +
  'Nothing is said of a row when more than half of its measurements in one of the runs were disturbed.';

/** The rows that both runs have, in the order of the later one. */
export const compare = (before: Run, after: Run): Change[] =>
  after.measurements.flatMap((now) => {
    const then = before.measurements.find(({ row }) => row === now.row);
    return then === undefined ? [] : [changeOf(then, now)];
  });

function changeOf(then: Measurement, now: Measurement): Change {
  const isRatio = then.peer !== undefined && now.peer !== undefined;
  const [before, after] = [sideOf(then, isRatio), sideOf(now, isRatio)];
  const ratio = after.figure === before.figure ? 1 : after.figure / before.figure;
  const change = { row: now.row, unit: isRatio ? '×' : now.unit, before, after, ratio };
  return { ...change, result: resultOf(then, now, change) };
}

function resultOf(
  then: Measurement,
  now: Measurement,
  { before, after, ratio }: Omit<Change, 'result'>,
): Result {
  const isNoise =
    Math.abs(ratio - 1) <= LEAST_CHANGE ||
    isWithin(after.figure, before.spread) ||
    isWithin(before.figure, after.spread);
  if (hasFaults(now) && !hasFaults(then)) return 'lost';
  if (isNoise) return 'same';
  if (wasDisturbed(then) || wasDisturbed(now)) return 'doubtful';
  return ratio > 1 === isMoreBetter(now) ? 'gained' : 'lost';
}

function sideOf(measurement: Measurement, isRatio: boolean): Side {
  const { server, ratio = server } = judge(measurement);
  const spread = isRatio ? ratio : server;
  return { figure: figureThatCounts(measurement, spread), spread };
}

const isWithin = (figure: number, { least, greatest }: Spread): boolean =>
  figure >= least && figure <= greatest;

const wasDisturbed = ({ repeats }: Measurement): boolean => repeats !== undefined && isDoubtful(repeats);

const hasFaults = ({ faults = [] }: Measurement): boolean => faults.length > 0;

/** As its bar has it; without a bar, what is counted by the second is to be much, and a time or a size small. */
const isMoreBetter = ({ bar, unit }: Measurement): boolean =>
  bar === undefined ? unit.endsWith('/s') : bar.relation === '>=';

/** The comparison as it is printed, with the rule, and what makes the two runs less alike. */
export function comparison(before: Run, after: Run): string {
  const changes = compare(before, after);
  return [...aligned(HEADINGS, changes.map(cells)), '', COMPARE_RULE, ...differences(before, after)].join(
    '\n',
  );
}

const cells = ({ row, unit, before, after, ratio, result }: Change): string[] => [
  row,
  ...[before, after].map((side) => `${figure(side.figure)} ${unit} (${range(side.spread)})`),
  `${figure(ratio)} ×`,
  WORDS[result],
];

function differences(before: Run, after: Run): string[] {
  const rowsOf = ({ measurements }: Run) => measurements.map(({ row }) => row);
  const [then, now] = [rowsOf(before), rowsOf(after)];
  const only = (which: string, rows: string[]) =>
    rows.length > 0 ? [`Only ${which}: ${rows.join(', ')}`] : [];
  const few = Math.min(before.rounds, after.rounds) < FEW_ROUNDS;
  const [was, is] = [settingOf(before), settingOf(after)];
  return [
    ...only(
      'before',
      then.filter((row) => !now.includes(row)),
    ),
    ...only(
      'after',
      now.filter((row) => !then.includes(row)),
    ),
    ...(few ? [`A run has fewer than ${FEW_ROUNDS} rounds: its spread says little.`] : []),
    ...Object.keys(is).flatMap((name) =>
      was[name] === is[name]
        ? []
        : [`Not the same: ${name}, before ${was[name] ?? 'none'}, after ${is[name]}`],
    ),
  ];
}

const settingOf = ({ versions, machine, cores, seconds, rounds }: Run): Record<string, string> => ({
  ...versions,
  machine,
  cores,
  seconds: String(seconds),
  rounds: String(rounds),
});
