/** A client that sends whatever bytes it is given and shows every packet that comes back. */

import type { Duplex } from 'node:stream';
import { inspect } from 'node:util';
import mqttPacket, { type IPublishPacket, type Packet } from 'mqtt-packet';
import type { Credentials } from './endpoint.js';
import type { Ports, Transport } from './transports.js';

export const bytesOf = (packet: Packet): Buffer => mqttPacket.generate(packet);

export const connectPacket = ({ id, password }: Credentials, changes: object = {}): Packet => ({
  cmd: 'connect',
  clientId: id,
  clean: true,
  keepalive: 0,
  username: id,
  password: Buffer.from(password),
  ...changes,
});

export const publishPacket = (topic: string, payload: string, changes: object = {}): Packet => ({
  cmd: 'publish',
  topic,
  payload,
  qos: 0,
  dup: false,
  retain: false,
  ...changes,
});

export const subscribePacket = (topic: string, qos: 0 | 1 | 2 = 0, messageId = 1): Packet => ({
  cmd: 'subscribe',
  messageId,
  subscriptions: [{ topic, qos }],
});

export class RawClient {
  /** Resolves when the server has closed the connection, whichever way. */
  readonly closed: Promise<void>;
  readonly #stream: Duplex;
  readonly #came: Packet[] = [];
  readonly #wanted: { resolve: (packet: Packet) => void; reject: (error: Error) => void }[] = [];

  private constructor(stream: Duplex) {
    this.#stream = stream;
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    parser.on('packet', (packet) => this.#give(packet));
    stream.on('data', (chunk) => parser.parse(chunk));
    stream.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      stream.on('close', () => {
        for (const { reject } of this.#wanted.splice(0))
          reject(new Error('the server closed the connection'));
        resolve();
      });
    });
  }

  /** @param from an address of this machine */
  static async open({ ports }: { ports: Ports }, transport: Transport, from?: string): Promise<RawClient> {
    return new RawClient(await transport.connect(ports, from));
  }

  /** Connects, and subscribes where filters are given. */
  static async admitted(
    endpoint: { ports: Ports },
    transport: Transport,
    device: Credentials,
    ...filters: string[]
  ): Promise<RawClient> {
    const client = await RawClient.open(endpoint, transport);
    client.send(connectPacket(device));
    await client.next('connack');
    for (const filter of filters) {
      client.send(subscribePacket(filter, 2));
      await client.next('suback');
    }
    return client;
  }

  send(...packets: (Packet | Buffer)[]): void {
    this.#stream.write(
      Buffer.concat(packets.map((packet) => (Buffer.isBuffer(packet) ? packet : bytesOf(packet)))),
    );
  }

  /** Every chunk in a segment of its own, as far as the network lets it. */
  async sendInPieces(chunks: Iterable<Buffer>): Promise<void> {
    for (const chunk of chunks) await new Promise((sent) => this.#stream.write(chunk, sent));
  }

  /** The next packet that was not taken yet. */
  async next<C extends Packet['cmd']>(cmd: C): Promise<Extract<Packet, { cmd: C }>> {
    const packet = this.#came.shift() ?? (await this.#wait());
    if (packet.cmd !== cmd) throw new Error(`expected ${cmd}, got ${inspect(packet)}`);
    return packet as Extract<Packet, { cmd: C }>;
  }

  /** The same packet, which stays the next. */
  async peek(): Promise<Packet> {
    const packet = this.#came.shift() ?? (await this.#wait());
    this.#came.unshift(packet);
    return packet;
  }

  /** The next packet, which must be a PUBLISH: its topic, its payload as JSON, its QoS and id. */
  async message(): Promise<{
    topic: string;
    payload: Record<string, unknown>;
    qos: number;
    id: number | undefined;
  }> {
    const { topic, payload, qos, messageId } = (await this.next('publish')) as IPublishPacket;
    return { topic, payload: JSON.parse(payload.toString()), qos, id: messageId };
  }

  /** Everything that came before the server's answer to a PINGREQ sent now. */
  async drain(): Promise<Packet[]> {
    this.send({ cmd: 'pingreq' });
    const before: Packet[] = [];
    for (;;) {
      const packet = this.#came.shift() ?? (await this.#wait());
      if (packet.cmd === 'pingresp') return before;
      before.push(packet);
    }
  }

  /** Reads nothing from now on. */
  stopReading(): void {
    this.#stream.pause();
  }

  readAgain(): void {
    this.#stream.resume();
  }

  /** Ends its side of the connection, and reads on. */
  end(): void {
    this.#stream.end();
  }

  /** Closes the connection without a DISCONNECT. */
  vanish(): void {
    this.#stream.destroy();
  }

  #give(packet: Packet): void {
    const wanted = this.#wanted.shift();
    if (wanted === undefined) this.#came.push(packet);
    else wanted.resolve(packet);
  }

  #wait(): Promise<Packet> {
    if (this.#stream.destroyed) return Promise.reject(new Error('the server closed the connection'));
    return new Promise((resolve, reject) => {
      this.#wanted.push({ resolve, reject });
    });
  }
}
