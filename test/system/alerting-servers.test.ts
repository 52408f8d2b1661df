/** Three servers on one PostgreSQL: the one that leads the alerts is killed, stopped for a while, or closed. */

import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Postgres, startPostgres } from '../cluster/postgres.js';
import { needsIn } from '../programs.js';
import { type Receiver, startReceiver } from '../server/alerts/receiver.js';
import { until } from '../until.js';
import { createDevice, type Server, startServer } from './server.js';

interface Context {
  postgres: Postgres;
  receiver: Receiver;
  servers: Server[];
  panel: string;
  contacts: string[];
}

const alerts = suite<Context>('alerts of several servers on one database');
const test = needsIn(alerts, 'postgres', 'psql');

const IN_DOUBT_MS = 3000;
const token = randomUUID();

alerts.before.each(async (context) => {
  context.postgres = await startPostgres();
  context.receiver = await startReceiver();
  context.contacts = [];
  context.servers = [];
  for (let n = 0; n < 3; n++) context.servers.push(await start(context));
  const [server] = context.servers as [Server];
  context.panel = (await createDevice(server, 'Cabin')).id;
  const channels = [{ id: 'hook', type: 'webhook', url: context.receiver.url, allow_private: true }];
  const answer = await server.api(
    '/alerts/channels',
    json('PUT', { channels, rules: { kinds: ['triggered'] } }),
  );
  assert.is(answer.status, 200);
});
alerts.after.each(async ({ postgres, receiver, servers }) => {
  await Promise.all(servers.map((server) => server.stop()));
  await receiver.close();
  await postgres.stop();
});

const start = ({ postgres }: Pick<Context, 'postgres'>): Promise<Server> =>
  startServer({
    token,
    env: { TWIN_DATABASE: postgres.url },
    limits: { alerts: { inDoubtMs: IN_DOUBT_MS, firstPauseMs: 50 } },
  });

const json = (method: string, body: object): RequestInit => ({ method, body: JSON.stringify(body) });

/** One more contact trips, which the panel reports to this server. */
async function trip({ panel, contacts }: Context, server: Server): Promise<void> {
  contacts.push(`contact ${contacts.length}`);
  const data = { alarm_armed: true, siren_ringing: true, door_open: true, last_alarm: { contacts } };
  await until(async () => {
    const answer = await server.api(`/twins/${panel}/documents/current`, json('PUT', { data }));
    return answer.status === 200;
  });
}

const titles = ({ receiver }: Context): string[] =>
  receiver.received.map(({ body }) => JSON.parse(body).title as string).sort();
const wanted = ({ contacts }: Context): string[] =>
  contacts.map((contact) => `Alarm: Cabin, ${contact}`).sort();

/** The server that leads, without the dead. */
async function leaderOf({ postgres, servers }: Context): Promise<Server> {
  const ids = await Promise.all(servers.map(nodeOf));
  for (;;) {
    const id = await postgres.sql('SELECT node_id FROM leader');
    const found = servers[ids.indexOf(id)];
    if (found !== undefined) return found;
  }
}

async function nodeOf(server: Server): Promise<string> {
  const answer = await fetch(`${server.http}/metrics`, { headers: { 'X-Auth-Token': token } });
  return /^twin_node_info\{node="([^"]+)"\} 1$/m.exec(await answer.text())?.[1] ?? '';
}

const othersThan = ({ servers }: Context, server: Server): [Server, Server] =>
  servers.filter((each) => each !== server) as [Server, Server];

/** A new server takes the place of one that has ended. */
async function replace(context: Context, server: Server): Promise<void> {
  context.servers = [...othersThan(context, server), await start(context)];
}

test('while each leader is closed after an alarm, each alarm is sent once', async (context) => {
  for (let round = 0; round < 4; round++) {
    const leader = await leaderOf(context);
    const [other] = othersThan(context, leader);
    await trip(context, other);
    await leader.stop();
    await replace(context, leader);
  }
  await until(() => wanted(context).every((title) => titles(context).includes(title)));
  assert.equal(titles(context), wanted(context));
});

test('while each leader is killed after an alarm, each alarm is sent, and shown as delivered at each server', async (context) => {
  for (let round = 0; round < 3; round++) {
    const leader = await leaderOf(context);
    const [other] = othersThan(context, leader);
    await trip(context, other);
    await leader.stop('SIGKILL');
    // No server leads yet.
    await trip(context, other);
    await replace(context, leader);
  }
  await until(() => wanted(context).every((title) => titles(context).includes(title)));
  for (const server of context.servers) {
    await until(async () => {
      const answer = (await (await server.api('/alerts/deliveries')).json()) as {
        deliveries: { title: string; status: string }[];
      };
      const delivered = answer.deliveries.filter(({ status }) => status === 'delivered');
      return wanted(context).every((title) => delivered.some((each) => each.title === title));
    });
  }
});

test('while the leader is stopped, the next one sends an alarm, and the old one does not send it again', async (context) => {
  const leader = await leaderOf(context);
  const [other] = othersThan(context, leader);
  process.kill(leader.pid, 'SIGSTOP');
  await trip(context, other);
  await context.receiver.count(1);
  process.kill(leader.pid, 'SIGCONT');
  await until(async () => (await fetch(`${leader.http}/readyz`)).status === 200);
  await trip(context, leader);
  await context.receiver.count(2);
  assert.equal(titles(context), wanted(context));
});

test('an acknowledgement at one server is there at the others at once', async (context) => {
  const [first, second, third] = context.servers as [Server, Server, Server];
  await trip(context, first);
  await context.receiver.count(1);
  const listed = async (server: Server) =>
    (await (await server.api('/alerts')).json()) as { alerts: [{ id: string; state: string }] };
  const { id } = (await listed(second)).alerts[0];
  assert.is((await second.api(`/alerts/${id}/acknowledge`, json('POST', {}))).status, 200);
  for (const server of [first, third]) assert.is((await listed(server)).alerts[0].state, 'acknowledged');
});

alerts.run();
