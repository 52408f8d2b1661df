/** Tokens that are revoked while one of several servers does not hear of it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { READ } from '../../server/storage/postgres/statements.js';
import { needsIn, pathOf } from '../programs.js';
import { type BrokenNetwork, startProxy } from '../server/storage/postgres/proxy.js';
import { until } from '../until.js';
import { createDevice, type Server } from './server.js';
import { newToken, openStream, type SeveralServers, startServers, statusWith } from './several-servers.js';

const TOKENS = 100;

interface Context {
  several: SeveralServers;
  one: Server;
  /** It is behind the network that the test breaks. */
  deaf: Server;
  /** The last one is between the database and the deaf server. */
  networks: BrokenNetwork[];
  deviceId: string;
}

const tests = suite<Context>('revocations');
const test = needsIn(tests, 'postgres', 'psql');

tests.before(async (context) => {
  if (pathOf('postgres') === undefined) return;
  context.networks = [];
  context.several = await startServers(3, async (database) => {
    const network = await startProxy(database);
    context.networks.push(network);
    return network.url;
  });
  const [one, , deaf] = context.several.servers as [Server, Server, Server];
  Object.assign(context, { one, deaf, deviceId: (await createDevice(one, 'watched')).id });
});
tests.before.each(async ({ several }) => {
  for (const server of several?.servers ?? []) await until(() => isReady(server));
});
tests.after(async ({ several, networks }) => {
  await several?.stop();
  for (const network of networks ?? []) await network.close();
});

const isReady = async (server: Server): Promise<boolean> => (await fetch(`${server.http}/readyz`)).ok;

const isRefusal = (status: number): boolean => status === 401 || status === 503;

/** Makes tokens, with a stream of events for each at one of the servers in turn. */
async function readers({ several: { servers }, one, deviceId }: Context) {
  const tokens = await Promise.all(Array.from({ length: TOKENS }, () => newToken(one, 'reader')));
  const streams = await Promise.all(
    tokens.map(({ secret }, index) =>
      openStream(servers[index % servers.length] as Server, deviceId, secret),
    ),
  );
  return { tokens, streams };
}

test('they end every stream at every server, and no server takes the tokens any more', async (context) => {
  const { one, several } = context;
  const { tokens, streams } = await readers(context);
  const answers = tokens.map(({ id }) => one.api(`/tokens/${id}`, { method: 'DELETE' }));
  for (const answer of await Promise.all(answers)) assert.is(answer.status, 204);
  for (const server of several.servers.slice(0, 2))
    assert.is(await statusWith(server, tokens[0]?.secret ?? ''), 401);
  await Promise.all(streams.map(({ ended }) => ended));
});

test('a server that does not hear of them serves nothing, and knows them when it hears again', async (context) => {
  const { one, deaf, networks } = context;
  const { tokens, streams } = await readers(context);
  networks.at(-1)?.silence('LISTEN');
  const answers = tokens.map(({ id }) => one.api(`/tokens/${id}`, { method: 'DELETE' }));
  for (const answer of await Promise.all(answers)) assert.is(answer.status, 204);
  const status = statusWith(deaf, tokens[0]?.secret ?? '');
  await Promise.all(streams.map(({ ended }) => ended));
  assert.ok(isRefusal(await status));
  networks.at(-1)?.cut('LISTEN');
  await until(() => isReady(deaf));
  assert.is(await statusWith(deaf, tokens[0]?.secret ?? ''), 401);
  assert.is((await deaf.api('/tokens/self')).status, 200);
});

test('the same when it hears, and cannot read what has changed', async (context) => {
  const { one, deaf, networks } = context;
  const { tokens, streams } = await readers(context);
  networks.at(-1)?.silence(READ.text);
  const answers = tokens.map(({ id }) => one.api(`/tokens/${id}`, { method: 'DELETE' }));
  for (const answer of await Promise.all(answers)) assert.is(answer.status, 204);
  assert.ok(isRefusal(await statusWith(deaf, tokens[0]?.secret ?? '')));
  await Promise.all(streams.map(({ ended }) => ended));
  await until(() => isReady(deaf));
});

tests.run();
