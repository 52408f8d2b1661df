/**
 * Bodies of puts and patches, by REST and by MQTT: what is taken must read back exactly, what is refused must leave the
 * document as it was.
 */

import { generate } from 'mqtt-packet';
import { RawClient } from '../server/mqtt/raw-client.js';
import { TCP } from '../server/mqtt/transports.js';
import { inTime } from './eventually.js';
import type { Fuzz } from './fuzz.js';
import { type Model, type ModelRequest, modelled } from './json-model.js';
import { bodyOf } from './json-texts.js';
import { mutated } from './mutate.js';
import { VICTIMS } from './prepare.js';
import { shorterBytes, shorterLists, smallerItems } from './shrink.js';
import type { Target } from './target.js';

interface Write extends ModelRequest {
  readonly via: 'REST' | 'MQTT';
}

/** So that the body of the longest one is a packet. */
const MOST_BYTES = 100_000;

/** So that there is something to patch. */
const FIRST: Write = { via: 'REST', method: 'PUT', body: Buffer.from('{"data":{"a":{"b":1},"c":[1,null]}}') };

export const jsonFuzz: Fuzz<readonly Write[]> = {
  name: 'json',
  unit: 'bodies',
  atOnce: VICTIMS.length,

  make(random) {
    const writes = random.some(6, (): Write => {
      const body = bodyOf(random);
      return {
        via: random.oneOf(['REST', 'MQTT']),
        method: random.oneOf(['PUT', 'PATCH']),
        body: (random.once(8) ? mutated(body, random) : body).subarray(0, MOST_BYTES),
      };
    });
    return random.once(4) ? writes : [FIRST, ...writes];
  },

  size: (writes) => writes.length,

  async attempt(writes, target, place) {
    const { id, password } = VICTIMS[place] ?? { id: '', password: '' };
    const client = await RawClient.admitted(target, TCP, { id, password }, '$SCW/twins/me/#');
    try {
      await inTime('all answers', writeAll(writes, target, id, client));
    } finally {
      client.vanish();
    }
  },

  *smaller(writes) {
    yield* shorterLists(writes);
    yield* smallerItems(writes, function* ({ body, ...write }) {
      for (const shorter of shorterBytes(body)) yield { ...write, body: shorter };
    });
  },

  show: (writes) =>
    writes.map(({ via, method, body }) => `${method} by ${via}: ${body.toString('hex')}`).join('\n'),
};

const DOCUMENT = 'json';

async function writeAll(
  writes: readonly Write[],
  { server }: Target,
  id: string,
  client: RawClient,
): Promise<void> {
  const path = `/twins/${id}/documents/${DOCUMENT}`;
  // A document that an earlier attempt left: the device hears of its end.
  if ((await server.api(path, { method: 'DELETE' })).status === 204) await client.message();
  let model: Model | undefined;
  for (const write of writes) {
    const wanted = modelled(model, write);
    compare(textOf(wanted), textOf(write.via === 'REST' ? await byRest(write) : await byMqtt(write)));
    model = wanted ?? model;
    compare(textOf(model), textOf(await read()));
  }

  /** As the device hears it. */
  async function byRest({ method, body }: Write): Promise<Model | undefined> {
    const answer = await server.api(path, { method, body });
    await answer.arrayBuffer();
    if (answer.ok) return modelIn((await client.message()).payload);
    // A patch of nothing is not found.
    if (answer.status !== 400 && answer.status !== 404) throw new Error(`status ${answer.status}`);
    return undefined;
  }

  async function byMqtt({ method, body }: Write): Promise<Model | undefined> {
    const topic = `$SCW/twins/me/${DOCUMENT}/${method.toLowerCase()}`;
    client.send(generate({ cmd: 'publish', topic, payload: body, qos: 0, dup: false, retain: false }));
    const { topic: answered, payload } = await client.message();
    return answered === `${topic}/response/success` ? modelIn(payload) : undefined;
  }

  async function read(): Promise<Model | undefined> {
    const answer = await server.api(path);
    const document = (await answer.json()) as Record<string, unknown>;
    return answer.status === 404 ? undefined : modelIn(document);
  }
}

const modelIn = ({ version, data }: Record<string, unknown>): Model => ({ version, data }) as Model;

const textOf = (model: Model | undefined): string =>
  model === undefined ? 'nothing' : JSON.stringify({ version: model.version, data: model.data });

function compare(wanted: string, found: string): void {
  if (wanted !== found) throw new Error(`expected ${wanted.slice(0, 1000)}\nfound ${found.slice(0, 1000)}`);
}
