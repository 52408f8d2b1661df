/** Mutated MQTT packets, most of them behind a CONNECT that is accepted, over every transport. */

import type { Duplex } from 'node:stream';
import { frames } from '../bench/load/frames.js';
import { TCP, TLS, type Transport, WEBSOCKET } from '../server/mqtt/transports.js';
import { inTime } from './eventually.js';
import type { Fuzz } from './fuzz.js';
import { MQTT_CORPORA } from './mqtt-corpus.js';
import { mutated } from './mutate.js';
import { shorterBytes, shorterLists, smallerItems } from './shrink.js';

interface Conversation {
  readonly transport: Transport;
  /** Each a write of its own. */
  readonly packets: readonly Buffer[];
  /** It goes without a word, or says no more and reads what is said to it. */
  readonly ending: 'destroy' | 'end';
}

const MOST_PACKETS = 4;
/** A handshake takes longer than all that follows it. */
const OTHER_TRANSPORT_ONCE_IN = 16;

/** What a server may send to a device: CONNACK, PUBLISH, the acknowledgements, SUBACK, UNSUBACK, PINGRESP. */
const FROM_SERVER = [2, 3, 4, 5, 6, 7, 9, 11, 13];

export const mqttFuzz: Fuzz<Conversation> = {
  name: 'mqtt',
  unit: 'packets',
  atOnce: 64,

  make(random) {
    const corpus = random.oneOf(MQTT_CORPORA);
    const said = random.some(MOST_PACKETS, () => mutated(random.oneOf(corpus.packets), random));
    return {
      transport: random.once(OTHER_TRANSPORT_ONCE_IN) ? random.oneOf([TLS, WEBSOCKET]) : TCP,
      packets: random.once(4) ? said : [random.oneOf(corpus.connects), ...said],
      ending: random.once(8) ? 'destroy' : 'end',
    };
  },

  size: ({ packets }) => packets.length,

  async attempt({ transport, packets, ending }, { ports }) {
    const stream = await transport.connect(ports);
    const closed = readUntilClosed(stream);
    for (const packet of packets) {
      await new Promise<void>((written) => stream.write(packet, () => written()));
    }
    stream[ending]();
    await inTime('the end of the connection', closed);
  },

  *smaller(conversation) {
    for (const packets of shorterLists(conversation.packets)) yield { ...conversation, packets };
    for (const packets of smallerItems(conversation.packets, shorterBytes))
      yield { ...conversation, packets };
  },

  show: ({ transport, packets, ending }) =>
    [
      `over ${transport.name}, one write each, then ${ending}:`,
      ...packets.map((packet) => packet.toString('hex')),
    ].join('\n'),
};

/** Rejects for bytes that no server sends, or that are about another device's twin. */
function readUntilClosed(stream: Duplex): Promise<void> {
  return new Promise((closed, wrong) => {
    const feed = frames((type, bytes, start, body, end) => {
      const fault = FROM_SERVER.includes(type)
        ? faultIn(type, bytes.subarray(body, end))
        : 'no packet of a server';
      if (fault !== undefined) wrong(new Error(`${fault}: ${bytes.toString('hex', start, end)}`));
    });
    stream.on('data', (chunk: Buffer) => feed(chunk, chunk.length));
    stream.on('error', () => undefined);
    stream.on('close', () => closed());
  });
}

const PUBLISH = 3;
/** Nothing that the honest client writes may reach anyone else. */
const HONEST = /"text":"(current|desired) /;

function faultIn(type: number, body: Buffer): string | undefined {
  if (type !== PUBLISH) return body.length <= 2 + 128 ? undefined : 'too long';
  const topic = body.toString('utf8', 2, 2 + body.readUInt16BE(0));
  if (!topic.startsWith('$SCW/twins/')) return 'not of a twin';
  return HONEST.test(body.toString('latin1')) ? "another device's" : undefined;
}
