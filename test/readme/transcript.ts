/** What a block of code shows: commands, and what each prints. Pure. */

import type { CodeBlock } from './pages.js';

export interface Step {
  command: string;
  /** The lines that the page shows after the command. A line `…` stands for any lines, `…` in a line for any text. */
  shown: string[];
  /** In the page, from 1. */
  line: number;
}

const PROMPT = '$ ';

/** The commands of a block: in `console` they follow a prompt, and in `sh` each line is one. */
export function stepsOf({ language, text, line }: CodeBlock): Step[] {
  const lines = text.trimEnd().split('\n');
  if (language === 'sh') return lines.map((command, index) => ({ command, shown: [], line: line + index }));
  const steps: Step[] = [];
  if (language !== 'console') return steps;
  for (const [index, shown] of lines.entries()) {
    if (shown.startsWith(PROMPT))
      steps.push({ command: shown.slice(PROMPT.length), shown: [], line: line + index });
    else steps.at(-1)?.shown.push(shown);
  }
  return steps;
}

/** The keys that the prose asks for, in their order. */
export const keysIn = (prose: string): string[] =>
  [...prose.matchAll(/\bpress `(.)`/gi)].map(([, key = '']) => key);

/** What is another in each run, and the word that stands for it. */
const VARYING: [RegExp, string][] = [
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID'],
  [/\b[0-9a-f]{48}\b/g, 'PASSWORD'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'DATE'],
  [/^\d\d:\d\d:\d\d /, 'TIME '],
  [/\b(127\.0\.0\.1|0\.0\.0\.0):\d+/g, 'ADDRESS'],
  [/\bcurrent {2}version \d+/g, 'current  version NUMBER'],
  [/\b\d+ bodies; honest client: \d+ rounds/g, 'NUMBER bodies; honest client: NUMBER rounds'],
  [/\b\d+\.\d ms\b/g, 'NUMBER ms'],
];

const normal = (line: string): string =>
  VARYING.reduce((text, [form, word]) => text.replace(form, word), line.trimEnd());

const ANY_LINES = '…';

const patternOf = (line: string): string =>
  line === ANY_LINES
    ? '(?:.*\\n)*?'
    : `${line
        .split('…')
        .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
        .join('.*')}\\n`;

/** JSON on one line or on many, with its keys sorted: they have no order. */
const withSortedJson = (text: string): string => text.replace(/\{.*\}$|^\{\n(?:.*\n)*?\}$/gm, sorted);

function sorted(json: string): string {
  try {
    return JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(json)).sort()));
  } catch {
    return json;
  }
}

const textOf = (lines: string[]): string =>
  lines
    .filter((line) => line.trim() !== '')
    .map((line) => `${normal(line)}\n`)
    .join('');

/** Whether a command printed what the page shows. `part` lets other lines come before and after. */
export function agrees(shown: string[], printed: string[], part = false): boolean {
  const [wanted, found] = [textOf(shown), textOf(printed)];
  const match = (form: string, text: string): boolean => {
    const pattern = form.trimEnd().split('\n').map(patternOf).join('');
    return new RegExp(part ? `^${pattern}` : `^${pattern}$`, part ? 'm' : '').test(text);
  };
  return match(wanted, found) || match(withSortedJson(wanted), withSortedJson(found));
}
