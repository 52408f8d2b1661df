/**
 * Records the data directory of the present version as a fixture: `node --import tsx test/system/formats/record.ts
 * NUMBER`. It is run once for each format, before the next one begins, and its result is never changed. The server is
 * killed, so that the journal holds what the files lack.
 */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';
import { until } from '../../until.js';
import { connectDevice } from '../device.js';
import { createDevice, type Server, startServer } from '../server.js';
import { type House, see } from './house.js';

const [format = ''] = process.argv.slice(2);
const to = (extension: string): string => join(import.meta.dirname, `format-${format}.${extension}`);

async function send(server: Server, method: string, path: string, body?: object): Promise<Response> {
  const answer = await server.api(path, { method, ...(body && { body: JSON.stringify(body) }) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
}

/** A segment of the journal is as long as it must be, so that the fixture is small. */
const limits = { storage: { journalSegmentBytes: 16_384, writeBehindMs: 1000 } };
const data = mkdtempSync(join(tmpdir(), 'twin-record-'));
const token = randomUUID();
const server = await startServer({ data, token, limits });

const [front, garage] = [await createDevice(server, 'front-door'), await createDevice(server, 'Garage 🚗')];
const panels = [front, garage];
const channels = [
  { id: 'hook', type: 'webhook', url: 'http://127.0.0.1:9/none', allow_private: true },
  { id: 'push', type: 'push', contact: 'mailto:owner@example.org' },
];
await send(server, 'PUT', '/alerts/channels', { channels, rules: { kinds: ['triggered'] } });
const made = await send(server, 'POST', '/tokens', { role: 'owner', description: 'kept' });
const { secret: storedToken } = (await made.json()) as { secret: string };
await send(server, 'POST', '/tokens', { role: 'app', description: 'kitchen tablet', twin_ids: [front.id] });
for (const alarm_armed of [false, true, false, true])
  await send(server, 'PUT', `/twins/${front.id}/documents/desired`, { data: { alarm_armed } });
await send(server, 'PUT', `/twins/${garage.id}/documents/desired`, { data: { alarm_armed: false } });
await send(server, 'PUT', `/twins/${garage.id}/documents/notes`, {
  data: { text: 'Schlüssel unter dem Stein' },
});
await send(server, 'PUT', `/twins/${garage.id}/documents/gone`, { data: { n: 1 } });
await send(server, 'DELETE', `/twins/${garage.id}/documents/gone`);

const panel = await connectDevice(server, front);
const quiet = { alarm_armed: true, door_open: false, siren_ringing: false, handled: 4 };
await panel.ask('current', 'put', { data: quiet });
const last_alarm = { at: new Date().toISOString(), contacts: ['door'] };
await panel.ask('current', 'patch', { data: { door_open: true, siren_ringing: true, last_alarm } });
await panel.close();
const countAlerts = async () =>
  ((await (await server.api('/alerts')).json()) as { alerts: unknown[] }).alerts.length;
await until(async () => (await countAlerts()) > 0);
// What is above is in the files, and what is below only in the journal.
const isWritten = () =>
  readdirSync(data).includes('alerts') && readdirSync(join(data, 'alerts')).includes('alerts.json');
await until(isWritten);
await until(() => readdirSync(data).includes('known.json'));
for (const n of [1, 2, 3])
  await send(server, 'PUT', `/twins/${garage.id}/documents/counter`, { data: { n } });
await server.stop('SIGKILL');

const again = await startServer({ data, token, limits: { storage: { writeBehindMs: 1_000_000 } } });
// A key in a file of text would alarm those who look for secrets in repositories.
const kept = panels.map(({ id, password }) => ({ id, password }));
const house: House = { token, storedToken, panels: kept, seen: await see(again, panels) };
await again.stop('SIGKILL');
const isOfFixture = (path: string): boolean => !/\/(reserve|lock\..*)$/.test(path);
await create({ file: to('tar.gz'), cwd: data, gzip: true, portable: true, filter: isOfFixture }, ['.']);
writeFileSync(to('json'), `${JSON.stringify(house, null, 2)}\n`);
rmSync(data, { recursive: true });
