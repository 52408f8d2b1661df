import { REPEAT_RULE, repeatsText } from './disturbance.js';
import { figureThatCounts, judge, type Measurement, type Spread } from './row.js';
import type { Environment } from './versions.js';

const HEADINGS = ['row', 'server', 'peer', 'ratio (min … max)', 'bar', 'met'];

/** The table as it is printed, with what was measured, the peers and the notes below it. */
export function table(
  measurements: readonly Measurement[],
  { versions, machine, cores }: Environment,
): string {
  const made = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    ...aligned(HEADINGS, measurements.map(cells)),
    '',
    ...measurements.flatMap(legend),
    ...(measurements.some(({ repeats }) => repeats) ? [REPEAT_RULE] : []),
    ...[made.join(', '), machine, cores],
  ].join('\n');
}

/** The lines of a table, its columns as wide as their widest cell. */
export function aligned(headings: readonly string[], cells: readonly string[][]): string[] {
  const rows = [headings, ...cells];
  const widths = headings.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const [head = '', ...body] = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return [head, widths.map((width) => '-'.repeat(width)).join('  '), ...body];
}

function cells(measurement: Measurement): string[] {
  const { row, unit, bar } = measurement;
  const { server, peer, ratio, met } = judge(measurement);
  const shown = (spread: Spread) => figureThatCounts(measurement, spread);
  const limit = bar && `${bar.relation === '>=' ? '≥' : '≤'} ${figure(bar.limit)}`;
  return [
    row,
    `${figure(shown(server))} ${unit}`,
    peer ? `${figure(peer.middle)} ${unit}` : '',
    ratio ? `${figure(shown(ratio))} × (${range(ratio)})` : `(${range(server)})`,
    limit ? `${limit} ${bar?.on === 'ratio' ? '×' : unit}` : '',
    met === undefined ? '' : met ? 'met' : 'NOT MET',
  ];
}

function legend({ row, what, peer, faults = [], repeats, notes }: Measurement): string[] {
  const against = peer ? `; peer: ${peer.name}` : '';
  const failed = faults.map((fault) => `    NOT MET: ${fault}`);
  const said = [...(repeats ? [repeatsText(repeats)] : []), ...notes].map((note) => `    ${note}`);
  return [`${row}: ${what}${against}`, ...failed, ...said];
}

export const range = ({ least, greatest }: Spread): string => `${figure(least)} … ${figure(greatest)}`;

/** Three digits that count, thousands apart. */
export function figure(value: number): string {
  const fraction = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: fraction });
}
