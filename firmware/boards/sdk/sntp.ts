/** Asks a time server for the date by SNTP [RFC 4330], over a UDP socket (ECMA-419). */

import type { Time, Timers } from '../../board.js';

/** The port of NTP servers [RFC 5905, 7.2]. */
const NTP_PORT = 123;
/** A packet without extensions, in bytes [RFC 5905, 7.3]. */
const LENGTH = 48;
/** No leap second, version 4, mode 3: a client. */
const REQUEST = 0x23;
const MODE_SERVER = 4;
/** What a server says in the place of a leap second when its own clock is not set. */
const NOT_SYNCHRONIZED = 3;
const LAST_STRATUM = 15;
const ORIGINATE_AT = 24;
const TRANSMIT_AT = 40;
const SECONDS_FROM_1900_TO_1970 = 2_208_988_800;
/** The seconds begin at 0 again in 2036. Smaller ones than this belong to that era [RFC 4330, 3]. */
const FIRST_ERA_FROM = 2 ** 31;
const ERA_SECONDS = 2 ** 32;
/** In milliseconds. The clock asks again later than this. */
const ANSWER_TIMEOUT = 3000;

export interface Packet extends ArrayBuffer {
  readonly address: string;
  readonly port: number;
}

export interface UdpSocket {
  /** Undefined when there is no further packet. */
  read(): Packet | undefined;
  write(bytes: ArrayBuffer, address: string, port: number): void;
  close(): void;
}

interface SntpPorts {
  open(onReadable: () => void): UdpSocket;
  /** `System.resolve`: no address when there is none. */
  resolve(name: string, callback: (name: string, address: string | undefined) => void): void;
  timers: Timers;
  /** Uniform in [0, 1). */
  random(): number;
}

export interface TimeServer {
  host: string;
  port: number;
}

/** The server itself, on the port of its MQTT listener but over UDP; or the NTP server that the config names. */
export const timeServerOf = (config: TimeServer & { timeServer?: string }): TimeServer =>
  config.timeServer === undefined ? config : { host: config.timeServer, port: NTP_PORT };

/** One question, and at most one answer: what comes from elsewhere or answers another question is passed over. */
export function sntpQuery({ host, port }: TimeServer, ports: SntpPorts): Time['query'] {
  return (done) => {
    let socket: UdpSocket | undefined;
    let isOver = false;
    const finish = (now?: number): void => {
      if (isOver) return;
      isOver = true;
      ports.timers.clear(timer);
      socket?.close();
      done(now);
    };
    const timer = ports.timers.set(() => finish(), ANSWER_TIMEOUT);

    const ask = (address: string): void => {
      const request = requestWith(ports.random);
      socket = ports.open(() => {
        // A socket that is closed must not be read.
        while (!isOver) {
          const packet = socket?.read();
          if (packet === undefined) return;
          if (packet.address !== address || packet.port !== port) continue;
          const now = timeIn(packet, request);
          if (now !== undefined) finish(now);
        }
      });
      socket.write(request, address, port);
    };

    ports.resolve(host, (_name, address) => {
      if (isOver) return;
      if (address === undefined) return finish();
      try {
        ask(address);
      } catch {
        // No memory for a socket, or no way to the network: as good as no answer.
        finish();
      }
    });
  };
}

/** Its transmit timestamp is random: the answer must repeat it, so that only who saw the question can answer. */
function requestWith(random: () => number): ArrayBuffer {
  const request = new ArrayBuffer(LENGTH);
  const view = new DataView(request);
  view.setUint8(0, REQUEST);
  view.setUint32(TRANSMIT_AT, Math.floor(random() * ERA_SECONDS));
  view.setUint32(TRANSMIT_AT + 4, Math.floor(random() * ERA_SECONDS));
  return request;
}

/** Milliseconds since 1970, or undefined for bytes that do not answer this request. */
function timeIn(packet: ArrayBuffer, request: ArrayBuffer): number | undefined {
  if (packet.byteLength < LENGTH) return undefined;
  const answer = new DataView(packet);
  const question = new DataView(request);
  const first = answer.getUint8(0);
  const stratum = answer.getUint8(1);
  if ((first & 7) !== MODE_SERVER || first >> 6 === NOT_SYNCHRONIZED) return undefined;
  if (stratum === 0 || stratum > LAST_STRATUM) return undefined;
  if (answer.getUint32(ORIGINATE_AT) !== question.getUint32(TRANSMIT_AT)) return undefined;
  if (answer.getUint32(ORIGINATE_AT + 4) !== question.getUint32(TRANSMIT_AT + 4)) return undefined;
  const seconds = answer.getUint32(TRANSMIT_AT);
  const fraction = answer.getUint32(TRANSMIT_AT + 4) / ERA_SECONDS;
  if (seconds === 0) return undefined;
  const since1900 = seconds < FIRST_ERA_FROM ? seconds + ERA_SECONDS : seconds;
  return Math.floor((since1900 - SECONDS_FROM_1900_TO_1970 + fraction) * 1000);
}
