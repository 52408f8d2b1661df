/**
 * With `TWIN_TEST_DATABASE`, the address of a PostgreSQL whose user may make databases, the servers of the tests keep their
 * documents there, each data directory in a database of its own.
 */

import { randomUUID } from 'node:crypto';
import pg from 'pg';

const made = new Map<string, Promise<string>>();
let server = process.env.TWIN_TEST_DATABASE;

/** For tests of the data directory itself: their documents stay in it. */
export function keepInDirectory(): void {
  server = undefined;
}

/** The address of the database that belongs to a data directory, an empty one at first. Undefined: the directory itself. */
export function databaseFor(directory: string): Promise<string> | undefined {
  if (server === undefined) return undefined;
  const known = made.get(directory) ?? makeDatabase(server);
  made.set(directory, known);
  return known;
}

async function makeDatabase(address: string): Promise<string> {
  const name = `twin_${randomUUID().replaceAll('-', '')}`;
  const client = new pg.Client(address);
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
  const url = new URL(address);
  url.pathname = name;
  return url.href;
}
