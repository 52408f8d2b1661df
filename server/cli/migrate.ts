/** `migrate`. It asks no server, and works on its data directory and on the database. */

import pino from 'pino';
import { UsageError } from '../../shared/usage.js';
import { SETTINGS } from '../config.js';
import { type DatabaseAddress, parseAddress } from '../database-address.js';
import { migrateBack, migrateTo } from '../migration/migrate.js';
import { openDatabase } from '../migration/postgres.js';
import type { Sum } from '../migration/whole-file.js';
import { RULES } from '../open-storage.js';
import { type Call, dataOf, show } from './command.js';

export async function migrate(call: Call): Promise<void> {
  const { to, back = false } = call.given;
  if ((to === undefined) === (back === false)) throw new UsageError('migrate takes either --to or --back');
  const data = dataOf(call);
  const secret = process.env[SETTINGS.authoritySecret.variable] ?? '';
  // The lines of the storage are for a server's log.
  const log = pino({ level: 'silent' });
  const database = await openDatabase(addressOf(to), log, RULES);
  try {
    if (back) {
      const { sum, aside } = await migrateBack(data, database, secret, log);
      await show(call, { ...sum, aside }, () => backText(data, sum, aside));
    } else {
      const sum = await migrateTo(data, database, secret, log);
      await show(call, { ...sum, database: database.address }, () => toText(data, sum, database.address));
    }
  } finally {
    await database.close();
  }
}

/** @throws UsageError that does not show the password */
function addressOf(to: string | boolean | undefined): DatabaseAddress {
  const { variable } = SETTINGS.database;
  const given = typeof to === 'string' ? to : (process.env[variable] ?? '');
  if (given === '') throw new UsageError(`--back needs the address of the database in ${variable}`);
  try {
    return parseAddress(given);
  } catch (error) {
    throw new UsageError(`${typeof to === 'string' ? '--to' : variable}: ${(error as Error).message}`);
  }
}

const toText = (data: string, sum: Sum, address: string): string =>
  [
    `${sumText(sum)} are in ${address}.`,
    'They were read again there, and are the same.',
    `No server uses ${data} any more: start each server with ${SETTINGS.database.variable}.`,
  ].join('\n');

const backText = (data: string, sum: Sum | undefined, aside: string): string =>
  [
    ...(sum === undefined ? [] : [`${sumText(sum)} are in ${data} again.`]),
    `Start the server without ${SETTINGS.database.variable}. No server uses the database any more.`,
    `What was there before is in ${aside}. Remove it when you no longer need it.`,
  ].join('\n');

const sumText = ({ files, documents, past, sha256 }: Sum): string =>
  `${documents} documents in ${files} files, with ${past} past versions (SHA-256 ${sha256}),`;
