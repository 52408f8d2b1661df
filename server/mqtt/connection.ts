import type { Duplex } from 'node:stream';
import type { AuditEvent } from '../audit.js';
import type { Device } from '../devices/device.js';
import { admit, type Peer, type Refusal, type Verdict, WRONG_PROTOCOL } from './admission.js';
import type { Connections } from './connections.js';
import type { Endpoint } from './endpoint.js';
import { Framing } from './framing.js';
import { Notes } from './notes.js';
import { Output } from './output.js';
import type { Connect } from './packet.js';
import { isOurProtocol, readPacket } from './read.js';
import { type Carrier, Session } from './session.js';
import { LimitReached, ProtocolViolation } from './violation.js';
import { CONNACK, connack } from './write.js';

/** A client's bytes, each way. One that bounds what strangers send is told when its client is none any more. */
export type ClientStream = Duplex & { admitted?(): void };

// Packets of one connection in one turn of the event loop, so that who sends without a pause keeps nobody waiting.
const PACKETS_A_TURN = 256;

/**
 * One client, from its first byte to its last. A packet's way: Framing cuts it out, `readPacket` reads and judges it,
 * the Session handles it. The first one is judged by `admit` instead.
 */
export class Connection implements Carrier {
  readonly output: Output;
  readonly #stream: ClientStream;
  readonly #peer: Peer;
  readonly #notes: Notes;
  readonly #endpoint: Endpoint;
  readonly #connections: Connections;
  readonly #framing: Framing;
  /** What the CONNECT said: not proved until there is a session. */
  #claim: Pick<Connect, 'userName' | 'clientId'> | undefined;
  #session: Session | undefined;
  /** For the CONNECT to come, then for the keep-alive, at last for the client to go. */
  #timer: NodeJS.Timeout | undefined;
  #authenticating = false;
  #working = false;
  /** Others have their turn. */
  #resting = false;
  /** The stream is not read. */
  #held = false;
  /** No more is taken: the server stops, or the client asked too much. */
  #finishing = false;
  /** Whether a will is carried out at the end. */
  #willed = true;
  #ended = false;

  constructor(stream: ClientStream, peer: Peer, endpoint: Endpoint, connections: Connections) {
    const { limits } = endpoint;
    this.#stream = stream;
    this.#peer = peer;
    this.#notes = new Notes(peer, endpoint);
    this.#endpoint = endpoint;
    this.#connections = connections;
    this.#framing = new Framing(limits);
    this.output = new Output(stream, limits, {
      relieved: () => this.#relieved(),
      stuck: () => this.cut('its answers are not read'),
    });
    this.#timer = setTimeout(() => this.cut('no CONNECT in time'), limits.connectMs);
    stream.on('data', (chunk: Buffer) => this.#receive(chunk));
    stream.on('error', (error) => this.#broken(error));
    stream.on('end', () => this.#lost());
    stream.on('close', () => this.#closed());
  }

  /** The device that it speaks for, or while it is being authenticated the one it claims to be. */
  get deviceId(): string | undefined {
    return this.#session?.device.id ?? this.#claim?.userName;
  }

  get clientId(): string | undefined {
    return this.#claim?.clientId;
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    this.#framing.push(chunk);
    this.#work();
  }

  /** Takes the packets that have come, as many as may be taken now. */
  #work(): void {
    if (this.#working || this.#ended) return;
    this.#working = true;
    let taken = 0;
    try {
      while (this.#mayTake()) {
        const packet = this.#framing.next();
        if (packet === undefined) break;
        this.#take(packet);
        taken += 1;
        if (taken === PACKETS_A_TURN) this.#rest();
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#working = false;
    if (taken > 0) this.#heard();
    this.#hold(!this.#mayTake());
  }

  #rest(): void {
    this.#resting = true;
    setImmediate(() => {
      this.#resting = false;
      this.#work();
    });
  }

  /** What holds a connection back: others, its own unfinished requests, or answers that it does not read. */
  #mayTake(): boolean {
    if (this.#ended || this.#finishing || this.#authenticating || this.#resting) return false;
    if (this.output.isFull) return false;
    return this.#session === undefined || !this.#session.isBusy;
  }

  #take(packet: Buffer): void {
    if (this.#session === undefined) this.#admit(packet);
    else this.#session.handle(readPacket(packet));
  }

  #heard(): void {
    if (this.#session === undefined || this.#ended) return;
    this.#timer?.refresh();
    this.#endpoint.devices.active(this.#session.device.id);
  }

  #hold(held: boolean): void {
    if (held === this.#held || this.#ended) return;
    this.#held = held;
    if (held) this.#stream.pause();
    else this.#stream.resume();
  }

  #admit(packet: Buffer): void {
    if (!isOurProtocol(packet)) return this.#refuse(WRONG_PROTOCOL);
    const connect = readPacket(packet);
    if (connect.command !== 'connect') throw new ProtocolViolation('the first packet is not a CONNECT');
    this.#claim = {
      userName: this.#peer.certificate?.deviceId ?? connect.userName,
      clientId: connect.clientId,
    };
    this.#notes.claimed(this.#claim.userName);
    this.#authenticating = true;
    admit(connect, this.#peer, this.#endpoint).then(
      (verdict) => this.#decide(connect, verdict),
      (error) => this.#fail(error),
    );
  }

  #decide(connect: Connect, verdict: Verdict): void {
    this.#authenticating = false;
    if (this.#ended) return;
    if ('refusal' in verdict) return this.#refuse(verdict.refusal);
    this.#accept(connect, verdict.device);
    this.#work();
  }

  #refuse({ code, reason }: Refusal): void {
    this.#endpoint.counters.refused++;
    this.#notes.audit('authentication_refused', reason);
    this.output.add(connack(code));
    this.#end();
  }

  #accept(connect: Connect, device: Device): void {
    clearTimeout(this.#timer);
    this.#stream.admitted?.();
    this.#connections.join(this, device, connect.clientId);
    this.#session = new Session(device, connect, this.#endpoint, this);
    this.#keepAlive(connect.keepAlive);
    this.output.add(connack(CONNACK.accepted));
    this.#endpoint.counters.accepted++;
    this.#notes.add('accepted');
  }

  /** A client must be heard once in one and a half times its keep-alive, given in seconds [MQTT-3.1.2-24]. */
  #keepAlive(seconds: number): void {
    if (seconds === 0) this.#timer = undefined;
    else this.#timer = setTimeout(() => this.#silent(), seconds * 1500);
  }

  #silent(): void {
    if (this.#held) this.#timer?.refresh();
    else this.drop('nothing heard in 1.5 times its keep-alive [MQTT-3.1.2-24]');
  }

  answered(): void {
    if (this.#finishing && this.#session?.inFlight === 0) this.#end();
    else if (this.#held) this.#work();
  }

  #relieved(): void {
    this.#session?.resume();
    this.#work();
  }

  /** The client says goodbye: its will is not carried out [MQTT-3.14.4-3]. */
  disconnected(): void {
    this.#willed = false;
    this.#end();
  }

  #broken(error: Error): void {
    if (error instanceof ProtocolViolation) this.#fail(error);
    else this.#notes.add(error.message);
  }

  #fail(error: unknown): void {
    if (error instanceof LimitReached) return this.cut(error.message);
    if (error instanceof ProtocolViolation) return this.drop(error.message);
    this.#notes.failed(error);
    this.drop('internal error');
  }

  /** Closes at once, for a fault of the client. */
  drop(reason: string): void {
    if (this.#ended) return;
    this.#blame(reason);
    this.#end();
    this.destroy();
  }

  /** Closes at once. The will is not carried out: the device has lost the right to it. */
  revoke(reason: string): void {
    this.#willed = false;
    this.drop(reason);
  }

  cut(reason: string): void {
    if (this.#ended) return;
    this.#notes.audit('limit_reached', reason);
    this.drop(reason);
  }

  exceeded(reason: string): void {
    if (this.#finishing) return;
    this.#finishing = true;
    this.#notes.audit('limit_reached', reason);
    this.#blame(reason);
    if (this.#session?.inFlight === 0) this.#end();
  }

  refused(event: AuditEvent, reason: string): void {
    this.#notes.auditOnce(event, reason);
  }

  #blame(reason: string): void {
    this.#endpoint.counters.dropped++;
    this.#notes.warn(reason);
  }

  /** Takes no more requests, and ends when the last is answered. */
  finish(): void {
    this.#finishing = true;
    this.#willed = false;
    if (this.#session === undefined) this.destroy();
    else if (this.#session.inFlight === 0) this.#end();
    else this.#hold(true);
  }

  /** Gives up whatever has not been sent. */
  destroy(): void {
    this.#stream.destroy();
  }

  /** The last packets leave, and the client is given time to take them. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.destroy(), this.#endpoint.limits.connectMs);
    this.output.close();
    this.#stream.end();
    this.#stream.resume();
    if (this.#session === undefined) return;
    this.#connections.leave(this, this.#session.device.id);
    this.#session.end(this.#willed);
  }

  /** The client has gone, whether it was done or not. */
  #lost(): void {
    if (!this.#ended) this.#notes.add('lost');
    this.#end();
  }

  #closed(): void {
    this.#lost();
    clearTimeout(this.#timer);
    this.#connections.closed(this);
  }
}
