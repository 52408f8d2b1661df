/** What the person at the terminal can say: a key for each word, or the word as a line. */

import { createInterface } from 'node:readline';

export interface Switches {
  windowOpen: boolean;
  power: boolean;
  network: boolean;
}

interface Key {
  key: string;
  help: string;
  /** Window, power and network have one key each, which turns over. */
  word: (switches: Switches) => string;
}

const KEYS: Key[] = [
  { key: 'o', help: 'open the front door', word: () => 'open' },
  { key: 'c', help: 'close the front door', word: () => 'close' },
  {
    key: 'w',
    help: 'open or close the window',
    word: ({ windowOpen }) => (windowOpen ? 'close window' : 'open window'),
  },
  { key: 'k', help: 'turn the key switch: it arms, and it disarms', word: () => 'key' },
  { key: 'a', help: 'arm (by REST, as the phone app would)', word: () => 'arm' },
  { key: 'd', help: 'disarm', word: () => 'disarm' },
  { key: 'p', help: 'cut or restore power', word: ({ power }) => (power ? 'power-off' : 'power-on') },
  { key: 'n', help: 'network off or on', word: ({ network }) => (network ? 'network-off' : 'network-on') },
  { key: 's', help: 'show the state', word: () => 'state' },
  { key: '?', help: 'show these keys', word: () => 'help' },
  { key: 'q', help: 'quit (or Ctrl-C)', word: () => 'quit' },
];

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/** The word that a key stands for, or undefined. */
export function wordOf(key: string, switches: Switches): string | undefined {
  if (key === CTRL_C || key === CTRL_D) return 'quit';
  return KEYS.find((entry) => entry.key === key)?.word(switches);
}

export const keysHelp = (): string => KEYS.map(({ key, help }) => `  ${key}  ${help}`).join('\n');

/** The words that the panel's own program understands, and how they turn the switches. */
export const PANEL_WORDS = new Map<string, Partial<Switches>>([
  ['open', {}],
  ['close', {}],
  ['open window', { windowOpen: true }],
  ['close window', { windowOpen: false }],
  ['key', {}],
  ['power-off', { power: false }],
  ['power-on', { power: true }],
  ['network-off', { network: false }],
  ['network-on', { network: true }],
  ['state', {}],
]);

/** No word consists of keys alone. */
export function sayLine(line: string, switches: Switches, say: (word: string) => void): void {
  const keys = [...line];
  if (!keys.every((key) => wordOf(key, switches) !== undefined)) return say(line);
  for (const key of keys) say(wordOf(key, switches) ?? '');
}

/** Calls back with each word: from single keys on a terminal, else from lines of stdin, each a word or any number of keys. */
export function onWords(switches: Switches, say: (word: string) => void): void {
  const { stdin } = process;
  if (!stdin.isTTY) {
    createInterface(stdin).on('line', (line) => sayLine(line.trim(), switches, say));
    return;
  }
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.on('data', (keys: string) => {
    for (const key of keys) {
      const word = wordOf(key, switches);
      if (word !== undefined) say(word);
    }
  });
}
