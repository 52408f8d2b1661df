/** A real Home Assistant as a process: it is set up over its own HTTP interface, as a person does it in the browser. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { freePort } from '../free-port.js';
import { type Program, startProgram } from '../system/process.js';

const CLIENT = 'http://127.0.0.1/';
const USER = { name: 'Owner', username: 'owner', password: 'a-password-of-the-test' };
const RETRY_MS = 200;

export interface State {
  readonly entity_id: string;
  readonly state: string;
  readonly attributes: Record<string, unknown>;
}

export interface HomeAssistant {
  readonly url: string;
  readonly token: string;
  states(): Promise<State[]>;
  /** The entity whose `friendly_name` this is, once there is one. */
  entity(name: string): Promise<State>;
  /** Resolves when the entity has this state. */
  shows(name: string, state: string): Promise<State>;
  /** Resolves when the entity has another state than this one. */
  changes(name: string, state: string): Promise<void>;
  /** Sets a state that another integration would set. */
  set(entityId: string, state: string): Promise<void>;
  call(domain: string, service: string, data: object): Promise<void>;
  /** Calls back with each change of a state. */
  onChange(heard: (entityId: string, state: string) => void): Promise<() => void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** @param configuration lines of `configuration.yaml` beside those that it needs; files lie beside it */
export async function startHomeAssistant(
  bin: string,
  broker: { port: number },
  configuration: string,
  files: Record<string, string> = {},
): Promise<HomeAssistant> {
  const directory = mkdtempSync(join(tmpdir(), 'home-assistant-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  writeFileSync(
    join(directory, 'configuration.yaml'),
    `http:\n  server_host: 127.0.0.1\n  server_port: ${port}\nfrontend:\nlovelace:\n  mode: yaml\nconfig:\nhistory:\n${configuration}`,
  );
  let program: Program;
  const start = async (): Promise<void> => {
    program = startProgram([join(bin, 'hass'), '--config', directory]);
    await until(async () => (await fetch(`${url}/api/`)).status === 401, program);
  };
  await start();
  let token = await onboard(url);
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  await addMqtt(ask, broker.port);
  const states = () => ask('GET', '/api/states') as Promise<State[]>;
  const found = async (name: string, state?: string): Promise<State> => {
    let entity: State | undefined;
    await until(async () => {
      entity = (await states()).find(({ attributes }) => attributes.friendly_name === name);
      return entity !== undefined && (state === undefined || entity.state === state);
    }, program);
    return entity as State;
  };
  return {
    url,
    get token() {
      return token;
    },
    states,
    entity: (name) => found(name),
    shows: found,
    changes: (name, state) => until(async () => (await found(name)).state !== state, program),
    async set(entityId, state) {
      await ask('POST', `/api/states/${entityId}`, { state });
    },
    async call(domain, service, data) {
      await ask('POST', `/api/services/${domain}/${service}`, data);
    },
    onChange: (heard) => listen(url, token, heard),
    async restart() {
      await program.stop('SIGTERM');
      await start();
      token = await logIn(url);
    },
    async close() {
      await program.stop('SIGKILL');
      rmSync(directory, { recursive: true });
    },
  };
}

/** Asks again until it holds. A call that fails counts as one that does not hold. */
async function until(holds: () => Promise<boolean>, program: Program): Promise<void> {
  let ended = false;
  program.ended.then(() => {
    ended = true;
  });
  while (!(await holds().catch(() => false))) {
    if (ended) throw new Error(`Home Assistant has ended:\n${program.lines.slice(-20).join('\n')}`);
    await pause(RETRY_MS);
  }
}

async function post(
  url: string,
  body: string | URLSearchParams,
  token?: string,
): Promise<Record<string, string>> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const answer = await fetch(url, { method: 'POST', body, headers });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, string>;
}

const tokenFor = async (url: string, code: string): Promise<string> =>
  (
    await post(
      `${url}/auth/token`,
      new URLSearchParams({ grant_type: 'authorization_code', client_id: CLIENT, code }),
    )
  ).access_token ?? '';

async function onboard(url: string): Promise<string> {
  const user = { ...USER, client_id: CLIENT, language: 'en' };
  const { auth_code: code = '' } = await post(`${url}/api/onboarding/users`, JSON.stringify(user));
  const token = await tokenFor(url, code);
  // This step is done, and then fails where the integrations that it sets up want packages that are not there.
  const authorized = { Authorization: `Bearer ${token}` };
  await fetch(`${url}/api/onboarding/core_config`, { method: 'POST', headers: authorized, body: '{}' });
  await post(`${url}/api/onboarding/analytics`, '{}', token);
  await post(
    `${url}/api/onboarding/integration`,
    JSON.stringify({ client_id: CLIENT, redirect_uri: CLIENT }),
    token,
  );
  return token;
}

async function logIn(url: string): Promise<string> {
  const begin = { client_id: CLIENT, handler: ['homeassistant', null], redirect_uri: CLIENT };
  const { flow_id } = await post(`${url}/auth/login_flow`, JSON.stringify(begin));
  const { username, password } = USER;
  const { result = '' } = await post(
    `${url}/auth/login_flow/${flow_id}`,
    JSON.stringify({ client_id: CLIENT, username, password }),
  );
  return tokenFor(url, result);
}

async function addMqtt(ask: (method: string, path: string, body: object) => Promise<unknown>, port: number) {
  const flows = '/api/config/config_entries/flow';
  const { flow_id } = (await ask('POST', flows, { handler: 'mqtt' })) as { flow_id: string };
  const { type, errors } = (await ask('POST', `${flows}/${flow_id}`, { broker: '127.0.0.1', port })) as {
    type: string;
    errors?: object;
  };
  if (type !== 'create_entry') throw new Error(`MQTT could not be set up: ${JSON.stringify(errors)}`);
}

interface Message {
  readonly type: string;
  readonly event?: { readonly data: { readonly entity_id: string; readonly new_state: State | null } };
}

async function listen(
  url: string,
  token: string,
  heard: (entityId: string, state: string) => void,
): Promise<() => void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/api/websocket`);
  const subscribed = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      const { type, event } = JSON.parse(String(data)) as Message;
      if (type === 'auth_required') socket.send(JSON.stringify({ type: 'auth', access_token: token }));
      if (type === 'auth_ok') socket.send('{"id":1,"type":"subscribe_events","event_type":"state_changed"}');
      if (type === 'result') resolve();
      if (event?.data.new_state) heard(event.data.entity_id, event.data.new_state.state);
    });
  });
  await subscribed;
  return () => socket.close();
}
