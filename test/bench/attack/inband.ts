/** Attacks of a device by MQTT. */

import { generate } from 'mqtt-packet';
import { OWN_TOPICS } from '../../../shared/topics.js';
import { connectWebSocket, flood, inband, withConnection } from './mqtt.js';
import type { Attack } from './scene.js';

const KEYS = 5000;
const LARGE_BYTES = 60 * 1024;
const PATCHES_AT_ONCE = 500;
const DOCUMENTS = 64;
const FILTERS = 32_000;
const SUBSCRIBES = 60;
const FLOODING = 64;
const REQUESTS_AT_ONCE = 1000;

const keyOf = (index: number): string => `k${String(index).padStart(4, '0')}`;

/** A document of so many keys with a digit each. */
export const manyKeys = (count: number, last = 0): string => {
  const data = Object.fromEntries(Array.from({ length: count }, (_, index) => [keyOf(index), 0]));
  return JSON.stringify({ data: { ...data, [keyOf(count - 1)]: last } });
};

export const large = (letter: string): string =>
  JSON.stringify({ data: { text: letter.repeat(LARGE_BYTES) } });

/** About 63 KiB. */
const wide = JSON.stringify({
  data: Object.fromEntries(Array.from({ length: KEYS }, (_, index) => [keyOf(index), 1000])),
});

const patches: Attack = {
  what: 'in-band patches of one key of a document of 63 KiB and 5,000 keys, by one device',
  from: 'household',
  onSmallHeap: true,
  prepare: async (scene) => {
    const one = Array.from({ length: PATCHES_AT_ONCE }, (_, index) =>
      inband('wide', 'patch', JSON.stringify({ data: { [keyOf(index)]: 1000 + index } })),
    );
    const packets = Buffer.concat(one);
    return () =>
      withConnection(scene, (stream) => {
        stream.write(inband('wide', 'put', wide));
        flood(scene, stream, packets, one.length);
      });
  },
};

const puts: Attack = {
  what: 'in-band puts of 60 KiB, by one device',
  from: 'household',
  onSmallHeap: true,
  prepare: async (scene) => {
    const packets = Buffer.concat(['a', 'b'].map((letter) => inband('large', 'put', large(letter))));
    return () => withConnection(scene, (stream) => flood(scene, stream, packets, 2));
  },
};

const disk: Attack = {
  what: 'in-band puts of 60 KiB to 64 documents in turn, by one device, to fill the disk',
  from: 'household',
  prepare: async (scene) => {
    const names = Array.from({ length: DOCUMENTS }, (_, index) => `document-${index}`);
    const packets = ['a', 'b'].flatMap((letter) => names.map((name) => inband(name, 'put', large(letter))));
    return () =>
      withConnection(scene, (stream) => flood(scene, stream, Buffer.concat(packets), packets.length));
  },
};

const filters: Attack = {
  what: '60 SUBSCRIBEs with 32,000 foreign filters each, on one connection of one device, again and again',
  from: 'household',
  prepare: async (scene) => {
    const subscriptions = Array.from({ length: FILTERS }, () => ({ topic: 'a', qos: 0 as const }));
    const subscribe = generate({ cmd: 'subscribe', messageId: 1, subscriptions });
    const packets = Buffer.concat(Array.from({ length: SUBSCRIBES }, () => subscribe));
    return () => withConnection(scene, (stream) => flood(scene, stream, packets, SUBSCRIBES));
  },
};

/** A put, a get and, at QoS 2, the release of each message. */
function smallRequests(qos: 0 | 1 | 2): Buffer {
  const packets = Array.from({ length: REQUESTS_AT_ONCE }, (_, index) => {
    const action = index % 2 === 0 ? 'get' : 'put';
    const publish = inband('small', action, '{"data":{}}', { qos, id: index + 1 });
    const release = generate({ cmd: 'pubrel', messageId: index + 1 });
    return qos === 2 ? Buffer.concat([publish, release]) : publish;
  });
  return Buffer.concat(packets);
}

const subscribeAll = generate({
  cmd: 'subscribe',
  messageId: 1,
  subscriptions: [{ topic: OWN_TOPICS, qos: 0 }],
});

const floodBy = (transport: string, open: Parameters<typeof withConnection>[2]): Attack => ({
  what: `small requests with QoS 0, 1 and 2 without a pause, on ${FLOODING} connections of one device, by ${transport}`,
  from: 'household',
  prepare: async (scene) => {
    const requests = ([0, 1, 2] as const).map(smallRequests);
    return () => {
      for (let index = 0; index < FLOODING; index += 1) {
        const packets = requests[index % requests.length] ?? Buffer.alloc(0);
        const begin: Parameters<typeof withConnection>[1] = (stream) => {
          stream.write(subscribeAll);
          flood(scene, stream, packets, REQUESTS_AT_ONCE);
        };
        withConnection(scene, begin, open);
      }
    };
  },
});

export const INBAND_ATTACKS: Readonly<Record<string, Attack>> = {
  patches,
  puts,
  disk,
  filters,
  flood: floodBy('TCP', undefined),
  websockets: floodBy('WebSocket', connectWebSocket),
};
