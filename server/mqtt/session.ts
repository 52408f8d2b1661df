import { LRUCache } from 'lru-cache';
import type { Author } from '../access/author.js';
import type { Share } from '../access/shares.js';
import type { Device } from '../devices/device.js';
import type { Change } from '../twins/twins.js';
import { WORK } from '../work.js';
import type { Endpoint } from './endpoint.js';
import {
  answerBytes,
  carryOut,
  type Destination,
  DeviceRevoked,
  deletedText,
  errorText,
  failureOf,
  OwnTopics,
  type Pending,
  PendingRequests,
  type Request,
  Subscriptions,
  successText,
  TooManyRequests,
} from './inband.js';
import { acknowledgement, type Backlog, type Output, PINGRESP, publish, suback, unsuback } from './output.js';
import {
  type Acknowledgement,
  type Connect,
  type Message,
  type Packet,
  ProtocolViolation,
  type Publish,
  type QoS,
  REFUSED,
  type Subscribe,
  type Unsubscribe,
} from './packet.js';
import { Pushes } from './pushes.js';
import { ReceivedMessages, SentMessages } from './qos.js';

/** What a session needs of the connection that carries it. */
export interface Carrier {
  readonly output: Output;
  /** Answers must be read before there are more. */
  readonly isBlocked: boolean;
  /** A request was answered, so there may be room for another. */
  answered(): void;
  close(ending: 'disconnected' | 'limit reached', reason: string): void;
  /** The client was refused something, and stays connected. */
  refused(event: 'permission_refused' | 'limit_reached', reason: string): void;
}

// It is made once, because an error's stack costs more than the request.
const TOO_MANY_REQUESTS = new TooManyRequests();

// A request waits for one file to be read, so it is decided long before so many more devices lose their rights.
const REVOCATIONS = 10_000;

/** Which devices have lost their rights: they were disabled or deleted, or got new credentials. */
export class Revocations {
  readonly #last = new LRUCache<string, number>({ max: REVOCATIONS });
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(deviceId: string): void {
    this.#count += 1;
    this.#last.set(deviceId, this.#count);
  }

  hit(deviceId: string, count: number): boolean {
    return this.#count > count && (this.#last.get(deviceId) ?? 0) > count;
  }
}

/**
 * The requests of an accepted connection to its device's twin, and the answers and pushes. It ends with the connection.
 */
export class Session implements Author {
  readonly device: Device;
  /** How many revocations there were when it began. */
  readonly #begun: number;
  /** Both are those of the device, for all its connections. */
  readonly share: Share;
  readonly backlog: Backlog;
  readonly #endpoint: Endpoint;
  readonly #carrier: Carrier;
  readonly #topics: OwnTopics;
  readonly #subscriptions: Subscriptions;
  readonly #requests: PendingRequests;
  readonly #sent: SentMessages;
  readonly #received: ReceivedMessages;
  readonly #pushes: Pushes;
  readonly #spend: (work: number) => void;
  readonly #unwatch: () => void;
  #will: Message | undefined;

  constructor(device: Device, connect: Connect, endpoint: Endpoint, carrier: Carrier) {
    const { limits, twins } = endpoint;
    const { output } = carrier;
    this.device = device;
    this.#begun = endpoint.revocations.count;
    this.share = endpoint.shares.of(`device ${device.id}`);
    this.backlog = endpoint.backlogOf(device.id);
    this.#will = connect.will;
    this.#endpoint = endpoint;
    this.#carrier = carrier;
    this.#topics = new OwnTopics(device.id);
    this.#requests = new PendingRequests((pending) => this.#answer(pending));
    this.#spend = (work) => this.share.spend(work);
    const unacknowledged = () => limits.unacknowledged / this.backlog.sessions;
    this.#received = new ReceivedMessages(unacknowledged, (command, id) =>
      output.add(acknowledgement(command, id)),
    );
    this.#sent = new SentMessages(unacknowledged, this.#spend);
    this.backlog.sessions += 1;
    this.#subscriptions = new Subscriptions(device.id, limits.subscriptions, this.#spend);
    this.#pushes = new Pushes(
      () => carrier.isBlocked || this.#sent.size >= limits.inFlight,
      (change) => this.#push(change),
    );
    this.#unwatch = twins.watch(device.id, (change) => {
      if (change.origin === this) return;
      this.#spend(WORK.heardChange);
      this.#pushes.offer(change);
    });
  }

  /** A request may wait for its twin to be read, longer than its connection lasts. @throws DeviceRevoked */
  judge(): void {
    if (this.#endpoint.revocations.hit(this.device.id, this.#begun)) throw new DeviceRevoked();
  }

  /** Requests that are not answered yet. */
  get inFlight(): number {
    return this.#requests.size;
  }

  /** The client must wait for answers before it may ask more. */
  get isBusy(): boolean {
    const { inFlight, bufferBytes } = this.#endpoint.limits;
    if (this.#requests.size >= inFlight || this.#requests.bytes >= bufferBytes) return true;
    return this.#requests.size > 0 && this.#endpoint.twins.isWaiting(this.device.id);
  }

  /** @throws ProtocolViolation when the packet is not allowed now */
  handle(packet: Packet): void {
    switch (packet.command) {
      case 'publish':
        return this.#publish(packet);
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        return this.#acknowledged(packet);
      case 'pubrel':
        return this.#received.release(packet.id);
      case 'subscribe':
        return this.#subscribe(packet);
      case 'unsubscribe':
        return this.#unsubscribe(packet);
      case 'pingreq':
        return this.#carrier.output.add(PINGRESP);
      case 'disconnect':
        return this.#carrier.close('disconnected', 'the client disconnected');
      case 'connect':
        throw new ProtocolViolation('a second CONNECT [MQTT-3.1.0-2]');
    }
  }

  /** The client reads again. */
  resume(): void {
    this.#pushes.resume();
  }

  discardWill(): void {
    this.#will = undefined;
  }

  /** Carries out the will, unless it was discarded [MQTT-3.1.2-8]. */
  end(): void {
    this.backlog.sessions -= 1;
    this.#unwatch();
    const will = this.#will;
    if (will === undefined) return;
    const request = this.#topics.request(will.topic);
    if (request === undefined) {
      this.#endpoint.counters.droppedPublishes++;
      return;
    }
    const settled = (error: Error | null) => this.#log('will', request, error);
    this.#spend(WORK.packet + will.payload.length * WORK.parsedByte);
    try {
      carryOut(this.#endpoint.twins, this.device.id, request, will.payload, settled, this, this.#spend);
    } catch (error) {
      settled(error as Error);
    }
  }

  #publish({ topic, payload, qos, id }: Publish): void {
    if (qos === 2 && !this.#received.begin(id)) return;
    const request = this.#topics.request(topic);
    const room = request === undefined ? 0 : answerBytes(request, payload);
    const isBegun = this.backlog.begin(room);
    const pending: Pending = {
      qos,
      id,
      length: payload.length,
      room: isBegun ? room : undefined,
      request,
      successQos: request && this.#answerQos(request.success, qos),
      errorQos: request && this.#answerQos(request.error, qos),
      isSettled: false,
      error: null,
      document: undefined,
    };
    this.#requests.add(pending);
    if (!isBegun) this.#requests.settle(pending, TOO_MANY_REQUESTS, undefined);
    else if (request !== undefined) this.#ask(pending, request, payload);
    else {
      this.#endpoint.counters.droppedPublishes++;
      this.#requests.settle(pending, null, undefined);
    }
  }

  /**
   * Uses the subscriptions at the time of the request, so that the result does not depend on how fast it is answered.
   */
  #answerQos({ topic }: Destination, asked: QoS): QoS | undefined {
    const granted = this.#subscriptions.qosOf(topic);
    return granted !== undefined && granted > asked ? asked : granted;
  }

  #ask(pending: Pending, request: Request, payload: Buffer): void {
    const { twins } = this.#endpoint;
    const requests = this.#requests;
    try {
      carryOut(
        twins,
        this.device.id,
        request,
        payload,
        (error, document) => requests.settle(pending, error, document),
        this,
        this.#spend,
      );
    } catch (error) {
      // The answer itself has failed, and the request must not be answered twice.
      if (pending.isSettled) throw error;
      requests.settle(pending, error as Error, undefined);
    }
  }

  #answer({ qos, id, room, request, error, document, successQos, errorQos }: Pending): void {
    if (room !== undefined) this.backlog.end(room);
    const { id: deviceId } = this.device;
    const failure = error === null ? undefined : failureOf(error);
    if (failure?.isInternal === true && request !== undefined) this.#log('in-band request', request, error);
    if (qos === 2) this.#received.settle(id, failure?.isAcknowledged ?? true);
    else if (qos === 1 && (failure?.isAcknowledged ?? true)) {
      this.#carrier.output.add(acknowledgement('puback', id));
    }
    if (request !== undefined && error !== null && failure !== undefined) {
      if (errorQos !== undefined) {
        this.#send(request.error, errorText(deviceId, request.document, failure.text, error), errorQos);
      }
    } else if (request !== undefined && successQos !== undefined) {
      this.#send(request.success, successText(deviceId, request.document, document), successQos);
    }
    this.#carrier.answered();
  }

  /** The lines for each device are limited, so that it does not fill the disk. */
  #log(what: string, { document, action }: Request, error: Error | null): void {
    const line = { device: this.device.id, document, action };
    if (error === null) return this.#endpoint.log.debug(line, what);
    const { isInternal } = failureOf(error);
    const more = this.#endpoint.warnings.take(this.device.id);
    const level = more === undefined ? 'debug' : isInternal ? 'error' : 'warn';
    const cause = isInternal ? { err: error } : { reason: error.message };
    this.#endpoint.log[level]({ ...line, ...cause, ...more }, what);
  }

  /** Sends a change below each of the device's two prefixes that a subscription matches. */
  #push({ twinId, name, document, version }: Change): void {
    const topics = document === undefined ? this.#topics.deleted(name) : this.#topics.changed(name);
    for (const to of topics) {
      const granted = this.#subscriptions.qosOf(to.topic);
      if (granted !== undefined)
        this.#send(to, document?.json ?? deletedText(twinId, name, version), granted);
    }
  }

  #send({ field }: Destination, payload: string, qos: QoS): void {
    const id = qos === 0 ? 0 : this.#sent.begin(qos);
    if (id === undefined) this.#carrier.close('limit reached', 'too many unacknowledged messages');
    else {
      const packet = publish(field, payload, qos, id);
      this.#spend(packet.length * WORK.sentByte);
      this.#carrier.output.add(packet);
    }
  }

  #acknowledged(packet: Acknowledgement): void {
    if (this.#sent.acknowledge(packet)) this.#carrier.output.add(acknowledgement('pubrel', packet.id));
    this.#pushes.resume();
  }

  #subscribe({ id, filters, further }: Subscribe): void {
    this.#spend(filters.length * WORK.filter);
    const codes = filters.map(({ filter, qos }) => this.#subscriptions.add(filter, qos));
    for (let count = 0; count < further; count++) codes.push(REFUSED);
    if (codes.includes(REFUSED)) {
      if (filters.every(({ filter }) => this.#subscriptions.isOwn(filter))) {
        this.#carrier.refused('limit_reached', 'too many subscriptions, or too long ones');
      } else this.#carrier.refused('permission_refused', 'a subscription outside the own twin');
    }
    this.#carrier.output.add(suback(id, codes));
  }

  #unsubscribe({ id, filters }: Unsubscribe): void {
    this.#spend(filters.length * WORK.filter);
    for (const filter of filters) this.#subscriptions.remove(filter);
    this.#carrier.output.add(unsuback(id));
  }
}
