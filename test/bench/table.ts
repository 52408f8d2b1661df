import { judge, type Measurement, type Spread } from './row.js';
import type { Environment } from './versions.js';

const HEADINGS = ['row', 'server', 'peer', 'ratio (min … max)', 'bar', 'met'];

/** The table as it is printed, with what was measured, the peers and the notes below it. */
export function table(
  measurements: readonly Measurement[],
  { versions, machine, cores }: Environment,
): string {
  const rows = [HEADINGS, ...measurements.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const [head = '', ...body] = lines;
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  const made = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [head, rule, ...body, '', ...measurements.flatMap(legend), made.join(', '), machine, cores].join(
    '\n',
  );
}

function cells(measurement: Measurement): string[] {
  const { row, unit, bar, counts } = measurement;
  const { server, peer, ratio, met } = judge(measurement);
  const shown = ({ greatest, middle }: Spread) => (counts === 'greatest' ? greatest : middle);
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

function legend({ row, what, peer, faults = [], notes }: Measurement): string[] {
  const against = peer ? `; peer: ${peer.name}` : '';
  const failed = faults.map((fault) => `    NOT MET: ${fault}`);
  return [`${row}: ${what}${against}`, ...failed, ...notes.map((note) => `    ${note}`)];
}

const range = ({ least, greatest }: Spread): string => `${figure(least)} … ${figure(greatest)}`;

/** Three digits that count, thousands apart. */
function figure(value: number): string {
  const fraction = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en', { maximumFractionDigits: fraction });
}
