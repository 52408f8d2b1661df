import type { Allowance } from '../access/rate.js';
import type { Device } from '../devices/device.js';
import type { Document } from '../twins/document.js';
import type { Change } from '../twins/twins.js';
import { Deliveries } from './deliveries.js';
import type { Endpoint } from './endpoint.js';
import { carryOut, errorText, isAcknowledged, successText, TooManyRequests } from './inband.js';
import type { Output } from './output.js';
import type {
  Acknowledgement,
  Acknowledging,
  Connect,
  Message,
  Packet,
  Publish,
  QoS,
  Subscribe,
  Unsubscribe,
} from './packet.js';
import { Pushes } from './pushes.js';
import { Receipts } from './receipts.js';
import { type Pending, Requests } from './requests.js';
import { Subscriptions } from './subscriptions.js';
import { type Destination, OwnTopics, type Request } from './topics.js';
import { ProtocolViolation } from './violation.js';
import { acknowledgement, PINGRESP, publish, REFUSED, suback, unsuback } from './write.js';

/** What a session needs of the connection that carries it. */
export interface Carrier {
  readonly output: Output;
  /** A request has been answered, so that there may be room for another. */
  answered(): void;
  /** The client is done. */
  disconnected(): void;
  /** The client went beyond a limit: it is closed at once. */
  cut(reason: string): void;
  /** The same, but what it asked before is answered first. */
  exceeded(reason: string): void;
  /** The client was refused something. */
  refused(event: 'permission_refused' | 'limit_reached', reason: string): void;
}

/** What an accepted connection asks of its device's twin and hears of it. It ends with the connection. */
export class Session {
  readonly device: Device;
  readonly clientId: string;
  readonly #endpoint: Endpoint;
  readonly #carrier: Carrier;
  readonly #topics: OwnTopics;
  readonly #subscriptions: Subscriptions;
  readonly #requests: Requests;
  readonly #deliveries: Deliveries;
  readonly #pushes: Pushes;
  readonly #receipts: Receipts;
  readonly #allowance: Allowance;
  readonly #unwatch: () => void;
  readonly #will: Message | undefined;

  constructor(device: Device, connect: Connect, endpoint: Endpoint, carrier: Carrier) {
    const { limits, twins } = endpoint;
    this.device = device;
    this.clientId = connect.clientId;
    this.#will = connect.will;
    this.#endpoint = endpoint;
    this.#carrier = carrier;
    this.#allowance = endpoint.allowances.of(device.id);
    this.#topics = new OwnTopics(device.id);
    this.#subscriptions = new Subscriptions(device.id, limits.subscriptions);
    this.#requests = new Requests((pending) => this.#answer(pending));
    this.#receipts = new Receipts(limits.unacknowledged, (command, id) => this.#acknowledgeBy(command, id));
    this.#deliveries = new Deliveries(limits.unacknowledged);
    this.#pushes = new Pushes(
      () => carrier.output.isFull || this.#deliveries.size >= limits.inFlight,
      (document) => this.#push(document),
    );
    this.#unwatch = twins.watch(device.id, (change) => this.#changed(change));
  }

  /** Requests that are not answered yet. */
  get inFlight(): number {
    return this.#requests.size;
  }

  /** As much is asked and not answered as may be. */
  get isBusy(): boolean {
    const { inFlight, bufferBytes } = this.#endpoint.limits;
    return this.#requests.size >= inFlight || this.#requests.bytes >= bufferBytes;
  }

  /** @throws ProtocolViolation for a packet that has no place in a session */
  handle(packet: Packet): void {
    switch (packet.command) {
      case 'publish':
        return this.#publish(packet);
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        return this.#acknowledged(packet);
      case 'pubrel':
        return this.#receipts.release(packet.id);
      case 'subscribe':
        return this.#subscribe(packet);
      case 'unsubscribe':
        return this.#unsubscribe(packet);
      case 'pingreq':
        return this.#carrier.output.add(PINGRESP);
      case 'disconnect':
        return this.#carrier.disconnected();
      case 'connect':
        throw new ProtocolViolation('a second CONNECT [MQTT-3.1.0-2]');
    }
  }

  /** The client takes messages again. */
  resume(): void {
    this.#pushes.resume();
  }

  /**
   * Carries out the will, unless the client said goodbye or its will is no longer wanted.
   * @param willed false when the device has lost its rights, or when it is the server that goes [MQTT-3.1.2-8]
   */
  end(willed: boolean): void {
    this.#unwatch();
    const will = this.#will;
    if (will === undefined || !willed) return;
    const request = this.#topics.request(will.topic);
    if (request === undefined) this.#endpoint.counters.droppedPublishes++;
    else this.#carryOut(request, will.payload, (error) => this.#logWill(request, error));
  }

  #logWill(request: Request, error: Error | null): void {
    const { document, action } = request;
    const more = error === null ? undefined : this.#endpoint.warnings.take(this.device.id);
    const level = more === undefined ? 'debug' : 'warn';
    const line = { device: this.device.id, document, action, reason: error?.message, ...more };
    this.#endpoint.log[level](line, 'will');
  }

  #publish({ topic, payload, qos, id }: Publish): void {
    if (qos === 2 && !this.#receipts.begin(id)) return;
    const request = this.#topics.request(topic);
    const pending: Pending = {
      qos,
      id,
      length: payload.length,
      request,
      successQos: request && this.#answerQos(request.success, qos),
      errorQos: request && this.#answerQos(request.error, qos),
      settled: false,
      error: null,
      document: undefined,
    };
    this.#requests.add(pending);
    if (!this.#mayAsk()) this.#requests.settle(pending, new TooManyRequests(), undefined);
    else if (request === undefined) {
      this.#endpoint.counters.droppedPublishes++;
      this.#requests.settle(pending, null, undefined);
    } else {
      this.#carryOut(request, payload, (error, document) => this.#requests.settle(pending, error, document));
    }
  }

  /** Counts what the device asks by any of its connections. What is too much ends the one that asks. */
  #mayAsk(): boolean {
    if (this.#allowance.take(performance.now()) === 0) return true;
    this.#carrier.exceeded('too many requests');
    return false;
  }

  /** Judged when a request comes, so that it does not matter how fast it is answered. */
  #answerQos({ topic }: Destination, asked: QoS): QoS | undefined {
    const granted = this.#subscriptions.qosOf(topic);
    return granted !== undefined && granted > asked ? asked : granted;
  }

  #carryOut(
    request: Request,
    payload: Buffer,
    answer: (error: Error | null, document?: Document) => void,
  ): void {
    carryOut(this.#endpoint.twins, this.device.id, request, payload, answer, this);
  }

  #answer(pending: Pending): void {
    this.#acknowledge(pending);
    if (pending.request !== undefined) this.#respond(pending, pending.request);
    this.#carrier.answered();
  }

  #acknowledge({ qos, id, error }: Pending): void {
    if (qos === 2) this.#receipts.settle(id, isAcknowledged(error));
    else if (qos === 1 && isAcknowledged(error)) this.#acknowledgeBy('puback', id);
  }

  #acknowledgeBy(command: Acknowledging, id: number): void {
    this.#carrier.output.add(acknowledgement(command, id));
  }

  #respond({ error, document, successQos, errorQos }: Pending, request: Request): void {
    const { id } = this.device;
    if (error === null) {
      if (successQos === undefined) return;
      this.#send(request.success, successText(id, request.document, document), successQos);
    } else if (errorQos !== undefined) {
      this.#send(request.error, errorText(id, request.document, error), errorQos);
    }
  }

  #changed({ name, document, origin }: Change): void {
    if (origin === this) return;
    if (document === undefined) this.#pushes.forget(name);
    else this.#pushes.offer(document);
  }

  /** On each of the device's two prefixes that a subscription matches. */
  #push(document: Document): void {
    for (const to of this.#topics.changed(document.name)) {
      const granted = this.#subscriptions.qosOf(to.topic);
      if (granted !== undefined) this.#send(to, document.json, granted);
    }
  }

  #send({ field }: Destination, payload: string, qos: QoS): void {
    const id = qos === 0 ? 0 : this.#deliveries.begin(qos);
    if (id === undefined) this.#carrier.cut('too many unacknowledged messages');
    else this.#carrier.output.add(publish(field, payload, qos, id));
  }

  #acknowledged(packet: Acknowledgement): void {
    if (this.#deliveries.acknowledge(packet)) this.#acknowledgeBy('pubrel', packet.id);
    this.#pushes.resume();
  }

  #subscribe({ id, filters }: Subscribe): void {
    if (!this.#mayAsk()) return;
    const codes = filters.map(({ filter, qos }) => this.#subscriptions.add(filter, qos));
    if (codes.includes(REFUSED)) this.#tellRefused(filters);
    this.#carrier.output.add(suback(id, codes));
  }

  #tellRefused(filters: Subscribe['filters']): void {
    if (filters.every(({ filter }) => this.#subscriptions.isOwn(filter))) {
      this.#carrier.refused('limit_reached', 'too many subscriptions, or too long ones');
    } else this.#carrier.refused('permission_refused', 'a subscription outside the own twin');
  }

  #unsubscribe({ id, filters }: Unsubscribe): void {
    if (!this.#mayAsk()) return;
    for (const filter of filters) this.#subscriptions.remove(filter);
    this.#carrier.output.add(unsuback(id));
  }
}
