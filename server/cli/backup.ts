/** `backup` and `restore`. They ask no server, and work on its data directory, on the same machine. */

import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { UsageError } from '../../shared/usage.js';
import { isEncrypted } from '../backup/archive.js';
import { BackupRefused, backUp, type Restored, restore } from '../backup/backup.js';
import { SETTINGS } from '../config.js';
import { movedFrom } from '../storage/moved.js';
import { type Call, dataOf, show } from './command.js';

const DATABASE_PAGE = 'server/deploy/database.md';

const WITH_KEYS =
  'It holds everything, with the keys. Keep the passphrase: without it the file cannot be opened.';
const WITHOUT_KEYS = [
  'It holds no keys: not those of TLS, of alerts and of push messages. A restore uses the keys that the server has then.',
  'Where it has none, it makes new ones: every phone needs the new ca.crt, and every device a new certificate.',
  'With --keys the backup holds them too, encrypted with a passphrase.',
].join('\n');

export async function makeBackup(call: Call): Promise<void> {
  await refuseDatabase(call);
  const [file = ''] = call.words;
  const passphrase = await passphraseFor(call, call.given.keys === true, 'New passphrase: ', 'Once more: ');
  await backUp(dataOf(call), file, passphrase);
  const has_keys = passphrase !== undefined;
  await show(
    call,
    { file, has_keys },
    () => `The backup is in ${file}.\n${has_keys ? WITH_KEYS : WITHOUT_KEYS}`,
  );
}

export async function restoreBackup(call: Call): Promise<void> {
  await refuseDatabase(call);
  const [file = ''] = call.words;
  const needsPassphrase = await isEncrypted(file);
  const passphrase = await passphraseFor(call, needsPassphrase, 'Passphrase: ');
  const restored = await restore(dataOf(call), file, needsPassphrase ? passphrase : undefined);
  const { manifest, aside, isRunning } = restored;
  await show(call, { created_at: manifest.created_at, aside, is_running: isRunning }, () => textOf(restored));
}

/** A backup of the directory would lack what is in the database, and a restore would change nothing there. */
async function refuseDatabase(call: Call): Promise<void> {
  const { variable } = SETTINGS.database;
  const isElsewhere = Boolean(process.env[variable]) || (await movedFrom(dataOf(call))) !== undefined;
  if (isElsewhere)
    throw new BackupRefused(
      `the data are in a database, which has a backup of its own: see ${DATABASE_PAGE} (${variable} is set, or the data were moved)`,
    );
}

function textOf({ manifest, aside, isRunning, keptKeys }: Restored): string {
  const { created_at, program, has_keys } = manifest;
  return [
    `The data of ${created_at}, written by version ${program}, are restored.`,
    isRunning ? 'The server goes on with them.' : 'The next start of the server uses them.',
    ...(aside === undefined
      ? []
      : [`What was there before is in ${aside}. Remove it when you no longer need it.`]),
    ...(has_keys ? [] : [keptKeys ? KEPT_KEYS : NEW_KEYS]),
    'Panels keep their state: none is disarmed by this.',
  ].join('\n');
}

const KEPT_KEYS = 'The backup holds no keys: the server uses those that it had.';
const NEW_KEYS =
  'The backup holds no keys: the server makes new ones. Install ca.crt on every phone again, and renew every device ' +
  'that connects by TLS.';

/** The passphrase of the option, or else from the terminal. Undefined when none is needed. */
async function passphraseFor(
  { given }: Call,
  isNeeded: boolean,
  ...questions: [string, ...string[]]
): Promise<string | undefined> {
  const file = given['passphrase-file'];
  if (file === undefined && !isNeeded) return undefined;
  const passphrase =
    file === undefined ? await askFor(questions) : firstLine(await readFile(String(file), 'utf8'));
  if (passphrase === '') throw new UsageError('the passphrase is empty');
  return passphrase;
}

const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0] ?? '';

async function askFor(questions: string[]): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new UsageError('a passphrase is needed: name the file that holds it with --passphrase-file');
  const answers: string[] = [];
  for (const question of questions) answers.push(await askHidden(question));
  if (new Set(answers).size > 1) throw new UsageError('the two passphrases differ');
  return answers[0] ?? '';
}

/** What is typed is not shown. */
async function askHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await new Promise((resolve, reject) => {
      terminal.once('line', resolve);
      terminal.once('close', () => reject(new Error('no passphrase was typed')));
    });
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
