/** The server is killed between the raise of an alert and its delivery, again and again. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Receiver, startReceiver } from '../server/alerts/receiver.js';
import { until } from '../until.js';
import { createDevice, type Server, type ServerOptions, startServer } from './server.js';

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 10);
/** Turns of the event loop from a report until the kill, at most: some milliseconds. */
const MOST_TURNS = 2000;
const IN_DOUBT_MS = 2000;

interface Context {
  receiver: Receiver;
  options: ServerOptions;
}

const test = suite<Context>('alerts of a killed server');

test.before.each(async (context) => {
  const data = mkdtempSync(join(tmpdir(), 'twin-alerts-'));
  context.receiver = await startReceiver();
  context.options = {
    data,
    token: randomUUID(),
    limits: { alerts: { inDoubtMs: IN_DOUBT_MS, firstPauseMs: 50 } },
  };
});
test.after.each(async ({ receiver, options }) => {
  await receiver.close();
  rmSync(options.data ?? '', { recursive: true, force: true });
});

const json = (method: string, body: object): RequestInit => ({ method, body: JSON.stringify(body) });

/** The panel reports that these contacts have tripped. */
const report = (server: Server, id: string, contacts: readonly string[]): Promise<Response> =>
  server.api(
    `/twins/${id}/documents/current`,
    json('PUT', {
      data: { alarm_armed: true, siren_ringing: true, door_open: true, last_alarm: { contacts } },
    }),
  );

test(`of ${ROUNDS} alerts each is delivered, and none twice within the time in which it is in doubt`, async ({
  receiver,
  options,
}) => {
  let server = await startServer(options);
  const { id } = await createDevice(server, 'Cabin');
  const channels = [{ id: 'hook', type: 'webhook', url: receiver.url, allow_private: true }];
  await server.api('/alerts/channels', json('PUT', { channels, rules: { kinds: ['triggered'] } }));
  const contacts: string[] = [];
  const arrivedAt = new Map<string, number[]>();
  const note = setInterval(() => {
    for (const { headers } of receiver.received.splice(0)) {
      const message = String(headers['webhook-id']);
      arrivedAt.set(message, [...(arrivedAt.get(message) ?? []), performance.now()]);
    }
  }, 1);
  // The panel was armed before: the server knows that it must look at it after a start.
  await report(server, id, []);
  for (let round = 0; round < ROUNDS; round++) {
    contacts.push(`contact ${round}`);
    assert.is((await report(server, id, contacts)).status, 200);
    let turns = Math.random() * MOST_TURNS;
    await until(() => --turns < 0);
    await server.stop('SIGKILL');
    server = await startServer(options);
  }
  const delivered = async (): Promise<string[]> => {
    const { deliveries } = (await (await server.api('/alerts/deliveries')).json()) as {
      deliveries: { title: string; status: string }[];
    };
    return deliveries.filter(({ status }) => status === 'delivered').map(({ title }) => title);
  };
  await until(async () => {
    const titles = await delivered();
    return contacts.every((contact) => titles.includes(`Alarm: Cabin, ${contact}`));
  });
  clearInterval(note);
  for (const [message, times] of arrivedAt) {
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    assert.ok(
      gaps.every((gap) => gap > IN_DOUBT_MS / 2),
      `${message} came again after ${gaps.join()} ms`,
    );
  }
  await server.stop();
});

test.run();
