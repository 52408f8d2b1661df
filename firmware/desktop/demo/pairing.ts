import { startProgram } from './program.js';

/** What the command line prints to pair a phone with the token of `npm start`: a QR code and links. */
export async function pairingLines(url: string, token: string): Promise<string[]> {
  const lines: string[] = [];
  const { ended } = startProgram({
    file: 'server/cli.ts',
    args: ['pair', '--own', '--url', url],
    env: { TWIN_TOKEN: token },
    onLine: (line) => lines.push(line),
  });
  await ended;
  return lines;
}
