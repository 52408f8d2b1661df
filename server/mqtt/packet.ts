/** What a client may send, once it is read and found valid. */

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
  /** In seconds; 0: none. */
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
