/** What the person at the terminal can do. On a terminal a key acts at once, else each character of stdin is a key. */

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

const HELP = {
  s: 'kill the server that leads with kill -9; again: start it',
  p: 'kill the primary of the databases with kill -9; again: start it as a standby',
  l: 'cut the link between the server that leads and the databases; again: mend it',
  h: 'show these keys',
  q: 'quit (or Ctrl-C): everything ends and is removed',
};

export type Key = keyof typeof HELP;

export const keysHelp = (): string =>
  Object.entries(HELP)
    .map(([key, help]) => `  ${key}  ${help}`)
    .join('\n');

/** Calls back with each key. The end of stdin counts as `q`, because no more keys can come. */
export function onKeys(press: (key: Key) => void): void {
  const { stdin } = process;
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.on('data', (text: string) => {
    for (const character of text) {
      if ([CTRL_C, CTRL_D].includes(character)) press('q');
      else if (character in HELP) press(character as Key);
    }
  });
  stdin.on('end', () => press('q'));
}
