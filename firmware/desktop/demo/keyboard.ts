import { createInterface } from 'node:readline';
import { type Switches, wordOf } from './words.js';

/** Calls back with each word: from single keys on a terminal, else from lines of stdin. */
export function onWords(switches: Switches, say: (word: string) => void): void {
  const { stdin } = process;
  if (!stdin.isTTY) {
    createInterface(stdin).on('line', (line) => say(line.trim()));
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
