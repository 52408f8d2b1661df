/** A checkout is used by `npm run …`, and the package by `alarm-twin …`. */

const CALLS: [RegExp, string][] = [
  [/npm run (?:-s )?twin -- (?=\S)/g, 'alarm-twin '],
  [/npm run (?:-s )?(server|panel) -- (?=\S)/g, 'alarm-twin $1 '],
  [/npm run (?:-s )?twin\b(?: --)?/g, 'alarm-twin'],
  [/npm run (?:-s )?(server|panel)\b(?: --)?/g, 'alarm-twin $1'],
];

/** The same text with the calls of the package. */
export const withCallsOfPackage = (text: string): string =>
  CALLS.reduce((changed, [form, call]) => changed.replace(form, call), text);
