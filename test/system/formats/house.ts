/** What is read back of a data directory that an earlier version wrote. */

import assert from 'node:assert/strict';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connectDevice } from '../device.js';
import { authorityOf, type Credentials, type Server } from '../server.js';

/** All of it is made up for the tests: no other server knows these secrets. */
export interface House {
  /** The owner token of the setting `TWIN_TOKEN`, and one that is stored. */
  readonly token: string;
  readonly storedToken: string;
  readonly panels: readonly Pick<Credentials, 'id' | 'password'>[];
  readonly seen: Seen;
}

type Json = Record<string, unknown>;

interface Seen {
  readonly hub: string;
  readonly authority: string;
  readonly devices: readonly Json[];
  readonly tokens: readonly Json[];
  /** The whole history of each document, by the twin's id and the document's name. */
  readonly documents: Record<string, unknown>;
  readonly alerts: readonly Json[];
  readonly channels: unknown;
  readonly pushKey: unknown;
}

const get = async (server: Server, path: string): Promise<Json> => {
  const answer = await server.api(path);
  assert.equal(answer.status, 200, `${path}: ${answer.status}`);
  return (await answer.json()) as Json;
};

const pick = (from: Json, names: string[]): Json =>
  Object.fromEntries(names.map((name) => [name, from[name]]));

/** Everything that an owner can read, but what changes by reading it and with the time. */
export async function see(server: Server, panels: readonly Pick<Credentials, 'id'>[]): Promise<Seen> {
  const documents: Record<string, unknown> = {};
  for (const { id } of panels) {
    const names = (await get(server, `/twins/${id}`)).documents as { document_name: string }[];
    for (const { document_name: name } of names) {
      documents[`${id}/${name}`] = {
        now: await get(server, `/twins/${id}/documents/${name}`),
        ...(await get(server, `/twins/${id}/documents/${name}/history`)),
      };
    }
  }
  const { hubs } = (await get(server, '/hubs')) as { hubs: { id: string }[] };
  const byId = (a: Json, b: Json) => (String(a.id) < String(b.id) ? -1 : 1);
  return {
    hub: String(hubs[0]?.id),
    authority: await authorityOf(server),
    devices: ((await get(server, '/devices')).devices as Json[])
      .map((device) => pick(device, ['id', 'name', 'description', 'allow_insecure', 'created_at']))
      .sort(byId),
    tokens: ((await get(server, '/tokens')).tokens as Json[])
      .map((token) => pick(token, ['id', 'role', 'description', 'twin_ids', 'expires_at']))
      .filter(({ description }) => description !== 'TWIN_TOKEN')
      .sort(byId),
    documents,
    alerts: ((await get(server, '/alerts')).alerts as Json[])
      .map((alert) => pick(alert, ['id', 'kind', 'panel_id', 'raised_at', 'acknowledged_at']))
      .sort(byId),
    channels: await get(server, '/alerts/channels'),
    pushKey: await get(server, '/alerts/push'),
  };
}

/** What a panel with its old password reads in-band. */
export async function currentInBand(
  server: Server,
  panel: Pick<Credentials, 'id' | 'password'>,
): Promise<unknown> {
  const device = await connectDevice(server, panel);
  const { body } = await device.ask('current', 'get');
  await device.close();
  return body.data;
}

/** The status of a request by TLS, where the server proves itself to the authority that phones and boards keep. */
export async function statusByTls(server: Server, path: string, ca: string, token: string): Promise<number> {
  const url = new URL(server.iotApi.replace(server.http, server.https) + path);
  const answer = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
    const options = { ca, headers: { 'X-Auth-Token': token } };
    request(url, options, resolve).on('error', reject).end();
  });
  await text(answer);
  return answer.statusCode ?? 0;
}
