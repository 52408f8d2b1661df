/** `test/cluster/up`: several servers on one computer to play with. Kill a part, and see what happens. */

import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { apiBase, DEFAULT_REGION } from '../../shared/rest.js';
import { type Databases, startDatabases } from './playground/databases.js';
import { type Key, keysHelp, onKeys } from './playground/keys.js';
import { killProcessesOf } from './playground/processes.js';
import { missingPackages } from './playground/programs.js';
import { type Balanced, type PlaygroundServer, startServers } from './playground/servers.js';
import { type Service, watchService } from './playground/service.js';
import { waitFor } from './playground/wait-for.js';
import { ask, makeDirectory } from './postgres.js';

const HELP = `Starts three PostgreSQL with Patroni and etcd, and three servers behind HAProxy, all on this computer.

  test/cluster/up

Everything is in a temporary directory, and is removed at the end. Keys while it runs:
${keysHelp()}`;

const LOOK_MS = 1000;

const print = (line: string): void => console.log(line);
const say = (line: string): void => print(`${new Date().toTimeString().slice(0, 8)}  ${line}`);
const shownMs = (ms: number): string => `${ms.toLocaleString('en')} ms`;

interface Playground {
  databases: Databases;
  balanced: Balanced;
  service: Service;
}

async function start(): Promise<void> {
  const directory = makeDirectory('twin-up-');
  print(`Starting three databases in ${directory} …`);
  let databases: Databases | undefined;
  process.on('exit', () => {
    for (const database of databases?.each ?? []) database.kill();
    killProcessesOf(directory);
    rmSync(directory, { recursive: true, force: true });
  });
  databases = await startDatabases(directory);
  await databases.complete();
  print('Starting three servers …');
  const balanced = await startServers(databases, directory);
  balanced.lost.catch(failed);
  const { addresses, token } = balanced;
  const api = apiBase(addresses.http, DEFAULT_REGION);
  const service = watchService(await newDocument(api, token), token);
  await service.recovery();
  print(welcome(balanced, api, directory));
  watchLeaders(databases, balanced);
  takeKeys({ databases, balanced, service });
}

/** The address of a document of a new device. */
async function newDocument(api: string, token: string): Promise<string> {
  let device: { id: string } | undefined;
  await waitFor(async () => {
    const body = JSON.stringify({ name: 'playground' });
    const headers = { 'X-Auth-Token': token };
    const answer = await fetch(`${api}/devices`, { method: 'POST', headers, body }).catch(() => undefined);
    if (answer?.ok) ({ device } = (await answer.json()) as { device: { id: string } });
    return device !== undefined;
  });
  return `${api}/twins/${device?.id}/documents/probe`;
}

const welcome = ({ addresses, token }: Balanced, api: string, directory: string): string => `
Three databases and three servers are up. Everything is in ${directory}, and goes at the end.

  App    ${addresses.http}/#token=${token}
  REST   ${api}
  MQTT   ${addresses.mqtt}
  TLS    ${addresses.https} and ${addresses.mqtts}
  token  ${token}

The token is the owner's, as the first server printed it. Something puts a document 20 times a second through HAProxy, so
that it is seen when clients are not served.

Keys:
${keysHelp()}
`;

/** Says when another database is the primary, and when another server leads. */
async function watchLeaders(databases: Databases, balanced: Balanced): Promise<void> {
  let [primary, leader]: [number | undefined, number | undefined] = [undefined, undefined];
  for (;;) {
    const [database, server] = await Promise.all([databases.primary(), leaderOf(databases, balanced)]);
    if (database !== undefined && database.number !== primary) {
      primary = database.number;
      say(`Database ${primary} is the primary.`);
    }
    if (server !== undefined && server.number !== leader) {
      leader = server.number;
      say(`Server ${leader} leads: it sends the alerts.`);
    }
    await delay(LOOK_MS);
  }
}

/** Undefined while there is none, and while no database can say it. */
async function leaderOf(
  databases: Databases,
  { each, token }: Balanced,
): Promise<PlaygroundServer | undefined> {
  const url = `${databases.url()}&target_session_attrs=read-write&connect_timeout=2`;
  const leader = await ask(url, 'SELECT node_id FROM leader').catch(() => undefined);
  if (leader === undefined) return undefined;
  const nodes = await Promise.all(each.map((server) => (server.isRunning ? server.node(token) : undefined)));
  return each[nodes.indexOf(leader)];
}

function takeKeys({ databases, balanced, service }: Playground): void {
  const { each: servers } = balanced;
  /** Says when clients are served again after a fault. */
  const report = async (): Promise<void> => {
    const { ms, failed, slowestMs } = await service.recovery();
    if (failed === 0)
      return say(`Clients were served all the time. The slowest put took ${shownMs(slowestMs)}.`);
    say(
      `Service is back after ${shownMs(ms)}. Puts without an acknowledgement: ${failed}; the slowest other one took ${shownMs(slowestMs)}.`,
    );
  };
  const victim = async (): Promise<PlaygroundServer | undefined> =>
    (await leaderOf(databases, balanced)) ?? servers.find(({ isRunning, isCut }) => isRunning && !isCut);

  async function killServer(): Promise<void> {
    const dead = servers.find(({ isRunning }) => !isRunning);
    if (dead !== undefined) {
      say(`Server ${dead.number} starts again.`);
      try {
        await dead.start();
      } catch (error) {
        return say(`Server ${dead.number} does not start: ${lastLine(error)}`);
      }
      return say(`Server ${dead.number} is back after ${shownMs(await waitFor(dead.isReady))}.`);
    }
    const server = await victim();
    if (server === undefined) return say('No server runs.');
    server.kill();
    say(`Server ${server.number} was killed. Its devices move to the others.`);
    report();
  }

  async function killPrimary(): Promise<void> {
    const dead = databases.each.find(({ isRunning }) => !isRunning);
    if (dead !== undefined) {
      say(`Database ${dead.number} starts again, as a standby.`);
      dead.start();
      databases.complete().then(() => say(`Database ${dead.number} has what the others have.`), failed);
      return;
    }
    const primary = await databases.primary();
    if (primary === undefined) return say('No database is the primary now.');
    primary.kill();
    say(
      `Database ${primary.number}, the primary, was killed. Patroni waits 20 seconds for it, then takes another one.`,
    );
    report();
  }

  async function cutLink(): Promise<void> {
    const cut = servers.find(({ isCut }) => isCut);
    if (cut !== undefined) {
      cut.mend();
      say(`The link of server ${cut.number} is mended.`);
      return say(`Server ${cut.number} is ready again after ${shownMs(await waitFor(cut.isReady))}.`);
    }
    const server = await victim();
    if (server === undefined) return say('No server runs.');
    server.cut();
    say(
      `The link between server ${server.number} and the databases was cut. Its devices move to the others.`,
    );
    report();
  }

  const deeds: Record<Key, () => unknown> = {
    s: killServer,
    p: killPrimary,
    l: cutLink,
    h: () => print(keysHelp()),
    q: quit,
  };
  let work: Promise<unknown> = Promise.resolve();
  onKeys((key) => {
    if (key === 'q') quit();
    work = work.then(deeds[key]).catch(failed);
  });
}

const lastLine = (error: unknown): string => String(error).split('\n').at(-1) ?? '';

function quit(): void {
  print('Everything ends now.');
  process.exit(0);
}

/** The programs that run end with this one. */
function failed(error: unknown): void {
  print(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

process.on('SIGHUP', () => process.exit(1));
const missing = missingPackages();
if (process.argv.length > 2) print(HELP);
else if (missing.length > 0) {
  print(`Programs are missing here. On Debian or Ubuntu type:  sudo apt install ${missing.join(' ')}`);
  process.exitCode = 1;
} else start().catch(failed);
