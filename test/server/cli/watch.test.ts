/** `watch` against a server that plays a part: what it tells, and how it goes. */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Api, Refused, Unreachable } from '../../../server/cli/api.js';
import { watch } from '../../../server/cli/watch.js';

const ID = '0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';

const CALL = { given: {}, json: false, ask: undefined };

type Scene = (res: ServerResponse, req: IncomingMessage) => void;

const tell =
  (...events: [event: string, id: string, data: object][]): Scene =>
  (res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    for (const [event, id, data] of events) {
      res.write(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n:\n\n`);
    }
  };
const end: Scene = (res) => res.end();
const cut: Scene = (res) => setImmediate(() => res.destroy());
const refuse: Scene = (res) => {
  res.writeHead(401, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify({ type: 'denied_authentication', message: 'm', reason: 'not_found' }));
};
const both =
  (...scenes: Scene[]): Scene =>
  (res, req) => {
    for (const scene of scenes) scene(res, req);
  };

const documentOf = (document_name: string, version: number) => ({
  twin_id: ID,
  document_name,
  version,
  data: { version },
  updated_at: '2026-03-01T10:00:00.000Z',
});
const twinOf = (...names: string[]) => ({
  twin_id: ID,
  documents: names.map((document_name) => ({ document_name })),
});

/** Watches a server that answers each connection by the next scene: what is printed, and the ids that were shown. */
async function play(scenes: Scene[], words = [ID]) {
  const lastIds: (string | undefined)[] = [];
  const server = createServer((req, res) => {
    lastIds.push(req.headers['last-event-id'] as string);
    scenes[lastIds.length - 1]?.(res, req);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const api = new Api({ url: `http://127.0.0.1:${port}`, token: 'token', region: 'fr-par' });
  const printed: string[] = [];
  let error: unknown;
  await watch({ ...CALL, api, words, print: async (text) => void printed.push(text) }).catch((thrown) => {
    error = thrown;
  });
  server.closeAllConnections();
  server.close();
  return { printed: printed.map((line) => line.split('  ').slice(1, 3).join(' ')), lastIds, error };
}

test('after a pause it asks for what it missed, and prints nothing twice', async () => {
  const { printed, lastIds, error } = await play([
    both(tell(['twin', '', twinOf('a')], ['document', 'one', documentOf('a', 1)]), end),
    both(tell(['document', 'two', documentOf('a', 2)]), cut),
    both(
      tell(
        ['twin', '', twinOf('b')],
        ['document', 'three', documentOf('b', 1)],
        ['document', '', documentOf('b', 1)],
      ),
      end,
    ),
    refuse,
  ]);
  assert.equal(printed, ['a version 1', 'a version 2', 'deleted', 'b version 1']);
  assert.equal(lastIds, ['', 'one', 'two', '']);
  assert.instance(error, Refused);
  assert.is((error as Error).message, 'the server does not know this token');
});

test('of one document it prints that one only', async () => {
  const { printed } = await play(
    [
      both(
        tell(
          ['document', '1', documentOf('a', 1)],
          ['document', '2', documentOf('b', 1)],
          ['document_deleted', '3', documentOf('a', 1)],
          ['document_deleted', '4', documentOf('b', 1)],
          ['presence', '5', { device_id: ID, is_connected: true, at: null }],
        ),
        end,
      ),
      refuse,
    ],
    [ID, 'b'],
  );
  assert.equal(printed, ['b version 1', 'deleted']);
});

test('a server that was never there is not waited for', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const api = new Api({ url: `http://127.0.0.1:${port}`, token: 'token', region: 'fr-par' });
  try {
    await watch({ ...CALL, api, words: [ID], print: async () => undefined });
    assert.unreachable('it went on');
  } catch (error) {
    assert.instance(error, Unreachable);
  }
});

test('a server that goes and comes back is waited for', async () => {
  const server = createServer((req, res) => {
    tell(['document', '1', documentOf('a', 1)])(res, req);
    // Gone in the midst of the stream, and there is no other for the moment.
    server.close();
    setImmediate(() => server.closeAllConnections());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const api = new Api({ url: `http://127.0.0.1:${port}`, token: 'token', region: 'fr-par' });
  const again = createServer((req, res) => refuse(res, req));
  server.on('close', () => again.listen(port, '127.0.0.1'));
  try {
    await watch({ ...CALL, api, words: [ID], print: async () => undefined });
    assert.unreachable('it went on');
  } catch (error) {
    assert.instance(error, Refused);
  }
  again.close();
});

test.run();
