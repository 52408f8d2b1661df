/** An MQTT server of one twin that does as the test says, and remembers what it was sent. */

import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import mqttPacket, { type IPublishPacket, type Packet } from 'mqtt-packet';
import { changedTopic, parseRequestTopic, requestTopic, responseTopic } from '../../../shared/topics.js';
import { until } from '../../until.js';

export interface Session {
  readonly socket: Socket;
  /** All that came. */
  readonly packets: Packet[];
  send(packet: Packet): void;
  publish(topic: string, payload: string | Buffer): void;
}

export interface Report {
  action: string;
  data: Record<string, unknown>;
}

export class ScriptedServer {
  readonly sessions: Session[] = [];
  /** What was put or patched in `current`, in order. */
  readonly reports: Report[] = [];
  /** What `desired` says; undefined: there is no such document. */
  armed: boolean | undefined;
  /** 0: connections are accepted. */
  returnCode = 0;
  /** The packets that are not answered. */
  deafTo: string[] = [];
  #version = 0;
  readonly #server: Server;

  private constructor(tls: TlsOptions | undefined) {
    const serve = (socket: Socket): void => this.#serve(socket);
    this.#server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  }

  static async listen(host = '127.0.0.1', port = 0, tls?: TlsOptions): Promise<ScriptedServer> {
    const server = new ScriptedServer(tls);
    await new Promise<void>((resolve) => server.#server.listen(port, host, resolve));
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** Resolves with the nth connection, the first being 0, once such a packet has come on it. */
  async session(index: number, cmd: string): Promise<Session> {
    const found = (): Session | undefined => {
      const session = this.sessions[index];
      return session?.packets.some((packet) => packet.cmd === cmd) ? session : undefined;
    };
    await until(() => found() !== undefined);
    return found() as Session;
  }

  /** Resolves with the next report from now on. */
  async nextReport(): Promise<Report> {
    const count = this.reports.length;
    await until(() => this.reports.length > count);
    return this.reports[count] as Report;
  }

  /** Says what is desired from now on, by a push. */
  desire(armed: boolean): void {
    this.armed = armed;
    this.#version += 1;
    this.push(changedTopic('desired'), this.#desired());
  }

  /** Sends it on the newest connection. */
  push(topic: string, body: object): void {
    this.sessions.at(-1)?.publish(topic, JSON.stringify(body));
  }

  async close(): Promise<void> {
    for (const { socket } of this.sessions) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #desired(): object {
    return { version: Math.max(1, this.#version), data: { alarm_armed: this.armed } };
  }

  #serve(socket: Socket): void {
    socket.setNoDelay();
    const send = (packet: Packet): unknown => socket.write(mqttPacket.generate(packet));
    const session: Session = {
      socket,
      packets: [],
      send,
      publish: (topic, payload) =>
        send({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false }),
    };
    this.sessions.push(session);
    const parser = mqttPacket.parser({ protocolVersion: 4 });
    parser.on('packet', (packet) => {
      session.packets.push(packet);
      if (!this.deafTo.includes(packet.cmd)) this.#answer(session, packet);
    });
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => parser.parse(chunk));
  }

  #answer(session: Session, packet: Packet): void {
    if (packet.cmd === 'connect')
      session.send({ cmd: 'connack', returnCode: this.returnCode, sessionPresent: false });
    if (packet.cmd === 'subscribe')
      session.send({ cmd: 'suback', messageId: packet.messageId ?? 1, granted: [0] });
    if (packet.cmd === 'pingreq') session.send({ cmd: 'pingresp' });
    if (packet.cmd === 'publish') this.#carryOut(session, packet);
  }

  #carryOut(session: Session, { topic, payload }: IPublishPacket): void {
    if (topic === requestTopic('desired', 'get')) {
      const outcome = this.armed === undefined ? 'error' : 'success';
      const answer = this.armed === undefined ? { error: 'document not found' } : this.#desired();
      session.publish(responseTopic('desired', 'get', outcome), JSON.stringify(answer));
    }
    const request = parseRequestTopic(topic);
    if (request?.document === 'current')
      this.reports.push({ action: request.action, ...JSON.parse(payload.toString()) });
  }
}
