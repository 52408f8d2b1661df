/** Clients that write and read through the balancer, by REST and in-band, and note what they saw. */

import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { connectAsync, type MqttClient } from 'mqtt';
import { type Credentials, createDevice, type Server } from '../system/server.js';
import type { Kept, Operation } from './checker.js';
import type { Servers } from './servers.js';

/** A client gives an answer up after this time. Then its write may have happened. */
const PATIENCE_MS = 4000;
/** A server that is not ready at the moment is asked again for so long. */
const STAMINA_MS = 60_000;
const DEVICES = 3;
const DOCUMENT = 'd';

/** Through the balancer, or past it at one of the servers. */
type Way = 'balanced' | 'direct';

export interface Load {
  readonly operations: Operation[];
  /** Those of the operations that one server was asked for, past the balancer. */
  readonly direct: Operation[];
  /** The device that is connected to that server. */
  readonly directDevice: string | undefined;
  /** Resolves when a write and a read that began after this call were answered, by REST and in-band. */
  isServed(way?: Way): Promise<void>;
  /** Ends the clients and gives all that the server holds of what they wrote. */
  stop(): Promise<Kept[]>;
}

interface Answer {
  readonly version: number;
  readonly mark: string | undefined;
}

/** Rejects when there is no answer or another one. Without a mark it reads. */
type Ask = (mark: string | undefined) => Promise<Answer>;

/** @param at is asked past the balancer, too */
export async function startLoad(servers: Servers, at?: Server): Promise<Load> {
  const operations: Operation[] = [];
  const direct: Operation[] = [];
  /** When the newest request of each kind that was answered began. */
  const served = { balanced: nothing(), direct: nothing() };
  const answers = new EventEmitter();
  let isOver = false;
  let count = 0;

  function note(way: Way, operation: Operation): void {
    operations.push(operation);
    if (way === 'direct') direct.push(operation);
  }

  async function client(document: string, way: Way, over: 'rest' | 'inband', ask: Ask): Promise<void> {
    for (let turn = 0; !isOver; turn += 1) {
      const kind = turn % 2 === 0 ? 'write' : 'read';
      count += 1;
      const mark = kind === 'write' ? `${count}` : undefined;
      const began = performance.now();
      const answer = await withPatience(ask(mark)).catch(() => undefined);
      const ended = performance.now();
      if (mark !== undefined) {
        note(way, { kind: 'write', document, began, ended, version: answer?.version, mark });
      } else if (answer !== undefined) {
        note(way, { kind: 'read', document, began, ended, ...answer });
      }
      if (answer !== undefined) {
        const newest = served[way][over];
        newest[kind] = Math.max(newest[kind], began);
        answers.emit('answer');
      }
      // A refused connection is refused at once: the others have their turn.
      else await delay(20);
    }
  }

  const devices: Credentials[] = [];
  for (let index = 0; index < DEVICES; index += 1) {
    devices.push(await patiently(() => createDevice(servers.each[0] as Server, `load ${index}`)));
  }
  /** The last device goes to the one server, if there is one. */
  const directDevice = at === undefined ? undefined : devices.at(-1)?.id;
  const wayOf = ({ id }: Credentials): Way => (id === directDevice ? 'direct' : 'balanced');
  const inband = devices.map((device) =>
    inbandClient(at !== undefined && wayOf(device) === 'direct' ? at.mqtt : servers.mqtt, device),
  );
  const clients = devices.flatMap((device, index) => [
    client(device.id, 'balanced', 'rest', restAsk(servers, device.id)),
    client(device.id, 'balanced', 'rest', restAsk(servers, device.id)),
    client(device.id, wayOf(device), 'inband', inband[index]?.ask as Ask),
    ...(at === undefined ? [] : [client(device.id, 'direct', 'rest', restAsk(at, device.id))]),
  ]);

  return {
    operations,
    direct,
    directDevice,
    async isServed(way = 'balanced') {
      const now = performance.now();
      const isDone = () => Object.values(served[way]).every(({ write, read }) => write > now && read > now);
      while (!isDone()) await once(answers, 'answer');
    },
    async stop() {
      isOver = true;
      await Promise.all(clients);
      await Promise.all(inband.map(({ end }) => end()));
      return (await Promise.all(devices.map(({ id }) => keptOf(servers, id)))).flat();
    },
  };
}

const nothing = () => ({ rest: { write: 0, read: 0 }, inband: { write: 0, read: 0 } });

async function withPatience<T>(answer: Promise<T>): Promise<T> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    limit = setTimeout(() => reject(new Error('no answer')), PATIENCE_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(limit));
}

/** Asks again until there is an answer. What asks in this way must be no part of the history that is checked. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (const began = performance.now(); ; ) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() - began > STAMINA_MS) throw error;
      await delay(20);
    }
  }
}

interface Document {
  readonly version: number;
  readonly data: { readonly mark: string };
}

const answerOf = ({ version, data }: Document): Answer => ({ version, mark: data.mark });

function restAsk(at: Pick<Servers, 'api'>, id: string): Ask {
  const path = `/twins/${id}/documents/${DOCUMENT}`;
  return async (mark) => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const put = { method: 'PUT', body: JSON.stringify({ data: { mark } }), signal };
    const response = await at.api(path, mark === undefined ? { signal } : put);
    if (mark === undefined && response.status === 404) return { version: 0, mark: undefined };
    if (!response.ok) throw new Error(`status ${response.status}`);
    return answerOf((await response.json()) as Document);
  };
}

/** A device, which connects again when it has lost its connection. */
function inbandClient(url: string, { id, password }: Credentials): { ask: Ask; end(): Promise<void> } {
  let client: MqttClient | undefined;
  const connect = async (): Promise<MqttClient> => {
    const options = { username: id, password, reconnectPeriod: 0, connectTimeout: PATIENCE_MS };
    const connected = await connectAsync(url, options);
    connected.on('error', () => undefined);
    await connected.subscribeAsync(`$SCW/twins/me/${DOCUMENT}/#`);
    return connected;
  };
  const drop = async (): Promise<void> => {
    const dropped = client;
    client = undefined;
    await dropped?.endAsync(true);
  };
  const ask: Ask = async (mark) => {
    try {
      client ??= await withPatience(connect());
      return await withPatience(exchange(client, mark));
    } catch (error) {
      await drop();
      throw error;
    }
  };
  return { ask, end: drop };
}

function exchange(client: MqttClient, mark: string | undefined): Promise<Answer> {
  const verb = mark === undefined ? 'get' : 'put';
  const topic = `$SCW/twins/me/${DOCUMENT}/${verb}`;
  const payload = mark === undefined ? '' : JSON.stringify({ data: { mark } });
  return new Promise((resolve, reject) => {
    const onMessage = (from: string, message: Buffer): void => {
      if (!from.startsWith(`${topic}/response/`)) return;
      const body = JSON.parse(message.toString()) as Document & { error?: string };
      if (from.endsWith('/success')) done(() => resolve(answerOf(body)));
      else if (body.error === 'not found') done(() => resolve({ version: 0, mark: undefined }));
      else done(() => reject(new Error(body.error)));
    };
    const onClose = (): void => done(() => reject(new Error('the connection is lost')));
    const done = (say: () => void): void => {
      client.off('message', onMessage);
      client.off('close', onClose);
      say();
    };
    client.on('message', onMessage);
    client.on('close', onClose);
    client.publish(topic, payload, { qos: 1 });
  });
}

/** All versions of the device's document that the server holds. */
async function keptOf(servers: Servers, id: string): Promise<Kept[]> {
  const kept: Kept[] = [];
  for (let before = ''; ; ) {
    const path = `/twins/${id}/documents/${DOCUMENT}/history?limit=1000${before}`;
    const history = await patiently(async () => {
      const response = await servers.api(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!response.ok) throw new Error(`status ${response.status} of a history`);
      return ((await response.json()) as { history: Document[] }).history;
    });
    kept.push(...history.map(({ version, data: { mark } }) => ({ document: id, version, mark })));
    const last = history.at(-1)?.version ?? 1;
    if (last <= 1) return kept;
    before = `&before=${last}`;
  }
}
