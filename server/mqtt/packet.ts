/**
 * The packets that a client of MQTT 3.1.1 may send, as values, and the errors of a client that breaks the protocol.
 * `read.ts` makes the values out of bytes, and `output.ts` writes the server's packets.
 */

/**
 * A client broke the protocol. Its connection is closed [MQTT-4.8.0-1]. The message is for the log and names the rule.
 */
export class ProtocolViolation extends Error {
  override name = 'ProtocolViolation';
}

/** A client exceeded a limit. Its connection is closed. */
export class LimitReached extends ProtocolViolation {
  override name = 'LimitReached';
}

/** A CONNECT of another protocol or version than MQTT 3.1.1. It gets CONNACK 1 [MQTT-3.1.2-1] [MQTT-3.1.2-2]. */
export class UnknownProtocol extends ProtocolViolation {
  override name = 'UnknownProtocol';
}

export type QoS = 0 | 1 | 2;

export interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: QoS;
}

export interface Connect {
  readonly command: 'connect';
  readonly clientId: string;
  readonly clean: boolean;
  /** In seconds. 0 means none. */
  readonly keepAlive: number;
  readonly userName: string | undefined;
  readonly password: Buffer | undefined;
  readonly will: Message | undefined;
}

export interface Publish extends Message {
  readonly command: 'publish';
  /** 0 at QoS 0. */
  readonly id: number;
}

export type Acknowledging = 'puback' | 'pubrec' | 'pubrel' | 'pubcomp';

export interface Acknowledgement {
  readonly command: Acknowledging;
  readonly id: number;
}

export interface Subscribe {
  readonly command: 'subscribe';
  readonly id: number;
  readonly filters: readonly { readonly filter: string; readonly qos: QoS }[];
  /** How many more there are. They are not read, and the server does not grant them. */
  readonly further: number;
}

export interface Unsubscribe {
  readonly command: 'unsubscribe';
  readonly id: number;
  readonly filters: readonly string[];
}

export interface Bare {
  readonly command: 'pingreq' | 'disconnect';
}

export type Packet = Connect | Publish | Acknowledgement | Subscribe | Unsubscribe | Bare;

/** The return codes of CONNACK that this server uses (MQTT 3.1.1, table 3.1). */
export const CONNACK = {
  accepted: 0,
  protocol: 1,
  clientId: 2,
  unavailable: 3,
  badUserNameOrPassword: 4,
  notAuthorized: 5,
} as const;
export type ConnackCode = (typeof CONNACK)[keyof typeof CONNACK];

/** The SUBACK code of a subscription that is not granted. */
export const REFUSED = 0x80;
