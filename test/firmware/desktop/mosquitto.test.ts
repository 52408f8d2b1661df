/** Mosquitto as the server of the firmware's link, so that it is right against a server that is not ours. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type DesktopPanel, startPanel } from '../../../firmware/desktop/desktop-panel.js';
import { freePort } from '../../free-port.js';
import { needsIn, pathOf } from '../../programs.js';
import { until } from '../../until.js';

interface Mosquitto {
  readonly process: ChildProcess;
  /** Resolves when its log has said this. */
  said(text: string): Promise<void>;
}

interface Context {
  directory: string;
  port: number;
  mosquitto: Mosquitto | undefined;
  panel: DesktopPanel | undefined;
}

const test = suite<Context>('the link against Mosquitto');

test.before.each(async (context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'twin-mosquitto-'));
  context.port = await freePort();
});
test.after.each(async (context) => {
  context.panel?.stop();
  await stop(context.mosquitto);
  rmSync(context.directory, { recursive: true });
});

/** Resolves when it listens. */
async function startMosquitto({ directory, port }: Context): Promise<Mosquitto> {
  const path = join(directory, 'mosquitto.conf');
  writeFileSync(path, `listener ${port} 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nlog_type all\n`);
  const program = spawn(pathOf('mosquitto') ?? 'mosquitto', ['-c', path], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  program.stderr.on('data', (chunk) => {
    log += chunk;
  });
  const mosquitto = { process: program, said: (text: string) => until(() => log.includes(text)) };
  await mosquitto.said('running');
  return mosquitto;
}

async function stop(mosquitto: Mosquitto | undefined): Promise<void> {
  if (mosquitto === undefined || mosquitto.process.signalCode !== null) return;
  mosquitto.process.kill('SIGKILL');
  await once(mosquitto.process, 'exit');
}

interface Said {
  data?: Record<string, unknown>;
}

/** Another client, which hears all that the panel publishes: `next` waits for the next message on a topic. */
async function listenIn(port: number): Promise<{ client: MqttClient; next(topic: string): Promise<Said> }> {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
  const heard: { topic: string; text: string }[] = [];
  client.on('message', (topic, payload) => heard.push({ topic, text: String(payload) }));
  await client.subscribeAsync('$SCW/twins/me/#');
  return {
    client,
    async next(topic) {
      const find = () => heard.findIndex((message) => message.topic === topic);
      await until(() => find() !== -1);
      const [message] = heard.splice(0, find() + 1).slice(-1);
      return JSON.parse(message?.text ?? '');
    },
  };
}

const panelOf = ({ directory, port }: Context): Promise<DesktopPanel> =>
  startPanel({
    server: `mqtt://127.0.0.1:${port}`,
    device: 'panel',
    password: 'any',
    flash: join(directory, 'flash.json'),
    config: { backOffMin: 50, backOffMax: 100, answerTimeout: 100, debounce: 5 },
  });

const desired = (armed: boolean, version: number): string =>
  JSON.stringify({ document_name: 'desired', version, data: { alarm_armed: armed } });

needsIn(test, 'mosquitto')('connects, subscribes, publishes and hears', async (context) => {
  context.mosquitto = await startMosquitto(context);
  const { client, next } = await listenIn(context.port);
  const panel = await panelOf(context);
  context.panel = panel;
  await panel.until((state) => state.online);
  assert.ok(await next('$SCW/twins/me/desired/get'));
  await client.publishAsync('$SCW/twins/me/desired/get/response/success', desired(true, 1));
  await panel.until((state) => state.armed);
  panel.openDoor();
  await panel.until((state) => state.sirenRinging);
  let patch = await next('$SCW/twins/me/current/patch');
  while (patch.data?.siren_ringing !== true) patch = await next('$SCW/twins/me/current/patch');
  assert.is(patch.data.door_open, true);
  await client.endAsync(true);
});

needsIn(test, 'mosquitto')(
  'comes back by itself when Mosquitto does, with its whole state',
  async (context) => {
    context.mosquitto = await startMosquitto(context);
    const panel = await panelOf(context);
    context.panel = panel;
    await panel.until((state) => state.online);
    await stop(context.mosquitto);
    await panel.until((state) => !state.online);
    context.mosquitto = await startMosquitto(context);
    await panel.until((state) => state.online);
    await context.mosquitto.said("'$SCW/twins/me/current/put'");
  },
);

test.run();
