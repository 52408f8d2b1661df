import type { Duplex } from 'node:stream';
import { isDeviceId } from '../../shared/document.js';
import type { Member, Share } from '../access/shares.js';
import type { AuditEvent } from '../audit.js';
import type { Claimed, Sessions } from '../cluster/sessions.js';
import type { Device } from '../devices/device.js';
import { WORK } from '../work.js';

import { admit, type Peer, type Refusal, sourceOfPeer, UNAVAILABLE, type Verdict } from './admission.js';
import type { Connections, Neighbour } from './connections.js';
import type { Endpoint } from './endpoint.js';
import { connack, Output } from './output.js';
import { CONNACK, type Connect, LimitReached, ProtocolViolation, UnknownProtocol } from './packet.js';
import { Framing, readPacket } from './read.js';
import { type Carrier, Session } from './session.js';

/**
 * A client's bytes in both directions. The bytes of a `data` event hold only during the event. `admitted` is called on a
 * stream that limits what a client sends before then. The event `frames` of a WebSocket tells how many frames came.
 */
export type ClientStream = Duplex & { admitted?(): void };

/**
 * - `connecting`: the CONNECT has not come.
 * - `authenticating`: its credentials are being checked.
 * - `accepted`: there is a session.
 * - `finishing`: nothing more is read, and the connection ends when its requests are answered.
 * - `closing`: the last packets leave, and the client has some time to take them.
 * - `closed`: the stream is gone.
 */
type Phase = 'connecting' | 'authenticating' | 'accepted' | 'finishing' | 'closing' | 'closed';

/**
 * - `flowing`: the stream is read.
 * - `working`: its packets are being handled.
 * - `held`: other clients have their turn, or requests must be answered first, or the client must read its answers.
 */
type Intake = 'flowing' | 'working' | 'held';

interface Ending {
  /** Whether the will is carried out [MQTT-3.1.2-8]. */
  readonly will: boolean;
  /** The requests under way are answered first. */
  readonly answers?: true;
  /** The stream is destroyed at once. */
  readonly atOnce?: true;
  /** The counter that it adds to. A dropped connection is logged as a warning. */
  readonly counts?: 'refused' | 'dropped';
  readonly audit?: AuditEvent;
}

const ENDINGS = {
  refused: { will: false, counts: 'refused', audit: 'authentication_refused' },
  /** The client sent a DISCONNECT [MQTT-3.14.4-3]. */
  disconnected: { will: false },
  /** The client's stream has ended. */
  lost: { will: true },
  violation: { will: true, atOnce: true, counts: 'dropped' },
  silent: { will: true, atOnce: true, counts: 'dropped' },
  'taken over': { will: true, atOnce: true, counts: 'dropped' },
  'limit reached': { will: true, atOnce: true, counts: 'dropped', audit: 'limit_reached' },
  /** The device has lost its rights, and with them its will. */
  revoked: { will: false, atOnce: true, counts: 'dropped' },
  stopped: { will: false, answers: true },
  'internal error': { will: true, atOnce: true, counts: 'dropped' },
} satisfies Record<string, Ending>;

/**
 * One client, from its first byte to its last. `Framing` cuts a packet out of the stream, `readPacket` reads and checks
 * it, and the session handles it. The first packet goes to `admit` instead.
 */
export class Connection implements Carrier, Member, Neighbour {
  readonly output: Output;
  /** That of its source until it is accepted, then that of its device. */
  #share: Share;
  readonly #stream: ClientStream;
  readonly #peer: Peer;
  readonly #endpoint: Endpoint;
  readonly #connections: Connections;
  readonly #framing: Framing;
  #phase: Phase = 'connecting';
  #intake: Intake = 'flowing';
  /** The names in the CONNECT. They are not proved until there is a session. */
  #claim: Pick<Connect, 'userName' | 'clientId'> | undefined;
  #session: Session | undefined;
  /** Where devices connect to several servers: what the others know of the session. */
  #claimed: Claimed | undefined;
  /** Bounds the wait for the CONNECT, then the keep-alive, at last the time that the client takes to close. */
  #timer: NodeJS.Timeout | undefined;
  /** A packet has come since the timer ran out. */
  #isHeard = false;
  /** The reasons that were audited. A client that repeats a fault is not audited again. */
  #audited: readonly string[] = [];

  constructor(stream: ClientStream, peer: Peer, endpoint: Endpoint, connections: Connections) {
    const { limits } = endpoint;
    this.#stream = stream;
    this.#peer = peer;
    this.#endpoint = endpoint;
    this.#connections = connections;
    this.#framing = new Framing(limits);
    this.#share = endpoint.shares.of(`source ${sourceOfPeer(peer)}`);
    this.output = new Output(stream, limits, {
      relieved: () => this.relieved(),
      stuck: () => this.close('limit reached', 'its answers are not read'),
    });
    this.#expect(limits.connectMs, () => this.close('limit reached', 'no CONNECT in time'));
    stream.on('data', this.#receive);
    stream.on('frames', (count: number) => this.#share.spend(count * WORK.frame));
    stream.on('error', (error) => this.#broken(error));
    stream.on('end', () => this.close('lost', 'lost'));
    stream.on('close', () => this.#closed());
    connections.add(this);
    this.#share.join(this);
  }

  get deviceId(): string | undefined {
    return this.#session?.device.id ?? this.#claim?.userName;
  }

  get clientId(): string | undefined {
    return this.#claim?.clientId;
  }

  readonly #receive = (chunk: Buffer): void => {
    this.#framing.push(chunk);
    this.#work();
    this.#framing.keep();
  };

  get #isOver(): boolean {
    return this.#phase === 'closing' || this.#phase === 'closed';
  }

  /** Handles the packets that have come, as far as it may now. */
  #work(): void {
    const before = this.#intake;
    if (before === 'working') return;
    this.#intake = 'working';
    let taken = 0;
    try {
      for (; this.#mayTake(); taken++) {
        const packet = this.#framing.next();
        if (packet === undefined) break;
        this.#share.spend(WORK.packet + packet.length * WORK.parsedByte);
        if (this.#session === undefined) this.#connect(packet);
        else this.#session.handle(readPacket(packet));
      }
    } catch (error) {
      this.#fail(error);
    }
    if (taken > 0 && this.#session !== undefined && !this.#isOver) {
      this.#isHeard = true;
      this.#timer?.refresh();
      this.#endpoint.devices.presence.active(this.#session.device.id);
    }
    if (!this.#mayTake()) this.#hold();
    else {
      this.#intake = 'flowing';
      if (before === 'held') this.#stream.resume();
    }
  }

  #mayTake(): boolean {
    if (this.#phase !== 'accepted' && this.#phase !== 'connecting') return false;
    return this.#share.isOpen && this.#session?.isBusy !== true && !this.isBlocked;
  }

  get isBlocked(): boolean {
    if (this.output.isFull) return true;
    if (this.#session?.backlog.isFull !== true) return false;
    this.#session.backlog.wait(this);
    return true;
  }

  pause(): void {
    if (this.#intake === 'flowing') this.#hold();
  }

  resume(): void {
    if (this.#intake === 'held') this.#work();
  }

  #hold(): void {
    this.#intake = 'held';
    // When the connection is over, the stream is read to its end and the bytes are dropped.
    if (!this.#isOver) this.#stream.pause();
  }

  #connect(bytes: Buffer): void {
    // Its fields are needed after this event.
    const connect = readPacket(Buffer.from(bytes));
    if (connect.command !== 'connect') throw new ProtocolViolation('the first packet is not a CONNECT');
    this.#claim = {
      userName: this.#peer.certificate?.deviceId ?? connect.userName,
      clientId: connect.clientId,
    };
    this.#phase = 'authenticating';
    this.#share.spend(WORK.authentication);
    const { sessions } = this.#endpoint;
    admit(connect, this.#peer, this.#endpoint)
      .then((verdict) => (sessions === undefined ? verdict : this.#takeOver(connect, verdict, sessions)))
      .then((verdict) => this.#decide(connect, verdict))
      .catch((error) => this.#fail(error));
  }

  /** No older session of the device goes on with another server. */
  async #takeOver(connect: Connect, verdict: Verdict, sessions: Sessions): Promise<Verdict> {
    if ('refusal' in verdict) return verdict;
    const { id: deviceId, allow_multiple_connections: isOneOfSeveral } = verdict.device;
    const end = () => this.close('taken over', 'taken over by a connection with another server');
    try {
      this.#claimed = await sessions.claim({ deviceId, clientId: connect.clientId, isOneOfSeveral, end });
      return verdict;
    } catch {
      return UNAVAILABLE;
    }
  }

  #decide(connect: Connect, verdict: Verdict): void {
    if (this.#phase !== 'authenticating') return this.#claimed?.release();
    if ('refusal' in verdict) return this.#refuse(verdict.refusal);
    this.#accept(connect, verdict.device);
    this.#work();
  }

  #refuse({ code, reason }: Refusal): void {
    this.output.add(connack(code));
    this.close('refused', reason);
  }

  #accept(connect: Connect, device: Device): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stream.admitted?.();
    this.#connections.join(this, device, connect.clientId, this.#claimed?.connectedAt);
    const session = new Session(device, connect, this.#endpoint, this);
    this.#session = session;
    this.output.countIn(session.backlog);
    this.#share.leave(this);
    this.#share = session.share;
    this.#share.join(this);
    this.#phase = 'accepted';
    this.#keepAlive(connect.keepAlive);
    this.output.add(connack(CONNACK.accepted));
    this.#endpoint.counters.accepted++;
    this.#log('debug', { reason: 'accepted' });
  }

  /** A client must send a packet within one and a half times its keep-alive [MQTT-3.1.2-24]. */
  #keepAlive(seconds: number): void {
    if (seconds === 0) return;
    this.#expect(seconds * 1500, () =>
      this.close('silent', 'no packet in 1.5 times its keep-alive [MQTT-3.1.2-24]'),
    );
  }

  /** The client must send a packet in this time, unless the server does not read. */
  #expect(ms: number, late: () => void): void {
    const timer = setTimeout(() => {
      this.#isHeard = false;
      // What has come is read before this runs. It may have waited in the network while the client was held.
      setImmediate(() => {
        if (this.#timer !== timer || this.#isHeard || this.#isOver) return;
        if (this.#intake === 'flowing') late();
        else timer.refresh();
      });
    }, ms);
    this.#timer = timer;
  }

  answered(): void {
    if (this.#phase === 'finishing') this.#endWhenAnswered();
    else if (this.#intake === 'held') this.#work();
  }

  relieved(): void {
    this.#session?.resume();
    this.#work();
  }

  refused(event: AuditEvent, reason: string): void {
    if (this.#audited.includes(reason)) return;
    this.#audited = [...this.#audited, reason];
    this.#audit(event, reason);
  }

  #broken(error: Error): void {
    if (error instanceof ProtocolViolation) this.#fail(error);
    else this.#log('debug', { reason: error.message });
  }

  #fail(error: unknown): void {
    if (error instanceof UnknownProtocol && this.#phase === 'connecting') {
      return this.#refuse({ code: CONNACK.protocol, reason: error.message });
    }
    if (error instanceof LimitReached) return this.close('limit reached', error.message);
    if (error instanceof ProtocolViolation) return this.close('violation', error.message);
    this.#log('error', { err: error }, 'mqtt connection failed');
    this.close('internal error', 'internal error');
  }

  /** Ends the connection as the table says. Only the first ending counts, but any ending can discard the will. */
  close(name: keyof typeof ENDINGS, reason: string): void {
    if (this.#isOver) return;
    const { will, answers, atOnce, counts, audit }: Ending = ENDINGS[name];
    if (!will) this.#session?.discardWill();
    if (answers === true && this.#phase === 'finishing') return;
    if (audit !== undefined) this.#audit(audit, reason);
    if (counts !== undefined) this.#endpoint.counters[counts]++;
    if (counts === 'dropped') this.#warn(reason);
    else this.#log('debug', { reason });
    if (answers === true && this.#session !== undefined) {
      this.#phase = 'finishing';
      this.#leave();
      if (this.#intake === 'flowing') this.#hold();
      this.#endWhenAnswered();
    } else {
      this.#end();
      if (atOnce === true || answers === true) this.destroy();
    }
  }

  #endWhenAnswered(): void {
    if (this.#session?.inFlight === 0) this.#end();
  }

  /** The connection takes no more packets. */
  #leave(): void {
    this.#share.leave(this);
    this.#session?.backlog.leave(this);
  }

  #end(): void {
    this.#phase = 'closing';
    this.#leave();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.destroy(), this.#endpoint.limits.connectMs);
    this.output.close();
    this.#stream.end();
    this.#stream.off('data', this.#receive);
    this.#drop();
    this.#claimed?.release();
    if (this.#session === undefined) return;
    this.#connections.leave(this, this.#session.device.id);
    this.#session.end();
  }

  /** Drops the bytes that still come, so that the client can read the last packets. They are not counted as work. */
  #drop(): void {
    let left = this.#endpoint.limits.closingBytes;
    this.#stream.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) this.destroy();
    });
    this.#stream.resume();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #closed(): void {
    this.close('lost', 'lost');
    this.#phase = 'closed';
    clearTimeout(this.#timer);
    this.output.forget();
    this.#connections.remove(this);
  }

  /** Logs a client's fault. The lines for each source are limited, so that it does not fill the disk. */
  #warn(reason: string): void {
    const more = this.#endpoint.warnings.take(sourceOfPeer(this.#peer));
    this.#log(more === undefined ? 'debug' : 'warn', { reason, ...more });
  }

  #log(level: 'debug' | 'warn' | 'error', fields: object, message = 'mqtt connection'): void {
    const device = this.#namedDevice();
    const who = { peer: this.#peer.address, ...(device !== undefined && { device }) };
    this.#endpoint.log[level]({ ...who, ...fields }, message);
  }

  #audit(event: AuditEvent, reason: string): void {
    const device = this.#namedDevice();
    const named = device === undefined ? {} : { device_id: device };
    this.#endpoint.audit(event, { source: sourceOfPeer(this.#peer), via: 'mqtt', ...named, reason });
  }

  /** The name is logged only if it has the form of a device's id, because some clients send a password as user name. */
  #namedDevice(): string | undefined {
    const name = this.#claim?.userName;
    return name !== undefined && isDeviceId(name) ? name : undefined;
  }
}
