import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, isIPv6 } from 'node:net';

/** A packet without extensions, in bytes [RFC 5905, 7.3]. Longer requests are answered by as much. */
const LENGTH = 48;
const MODE_CLIENT = 3;
const MODE_SERVER = 4;
/** The versions that have this packet. */
const VERSIONS = [3, 4];
/** A high stratum, so that a client prefers any other server. */
const STRATUM = 10;
const REFERENCE = Buffer.from('LOCL');
/** 2^-20 s, about a microsecond. */
const PRECISION = -20;
const SECONDS_FROM_1900_TO_1970 = 2_208_988_800;
const FRACTIONS_PER_SECOND = 2 ** 32;
/** Further requests in one second are dropped, so that a flood costs little. */
const ANSWERS_PER_SECOND = 200;

export interface TimeResponder {
  close(): Promise<void>;
}

/**
 * Answers requests for the time by SNTP [RFC 4330]. A board needs the time to check certificates, and its network may
 * have no other time server. An answer is never longer than its request.
 * @param at an address and port, over UDP
 * @throws the system's error when it cannot listen there, such as EADDRINUSE
 */
export async function answerTime(
  { address, port }: Pick<AddressInfo, 'address' | 'port'>,
  now: () => number = Date.now,
): Promise<TimeResponder> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  let [second, answers] = [0, 0];
  socket.on('message', (request, { address: host, port: from }) => {
    const received = now();
    const thisSecond = Math.floor(received / 1000);
    if (thisSecond !== second) [second, answers] = [thisSecond, 0];
    const answer = answers < ANSWERS_PER_SECOND ? answerTo(request, received) : undefined;
    if (answer === undefined) return;
    answers += 1;
    // An answer that cannot be sent is lost, because the client asks again.
    socket.send(answer, from, host, () => {});
  });
  socket.bind(port, address);
  await once(socket, 'listening');
  socket.on('error', () => {});
  return { close: () => closed(socket) };
}

async function closed(socket: Socket): Promise<void> {
  socket.close();
  await once(socket, 'close');
}

/**
 * @param now milliseconds since 1970
 * @returns undefined when it is not a request of a client
 */
export function answerTo(request: Buffer, now: number): Buffer | undefined {
  if (request.length < LENGTH) return undefined;
  const first = request.readUInt8(0);
  const version = (first >> 3) & 7;
  if ((first & 7) !== MODE_CLIENT || !VERSIONS.includes(version)) return undefined;
  const answer = Buffer.alloc(LENGTH);
  answer.writeUInt8((version << 3) | MODE_SERVER, 0);
  answer.writeUInt8(STRATUM, 1);
  // The client's poll interval and its transmit timestamp are sent back [RFC 4330, 5].
  answer.writeUInt8(request.readUInt8(2), 2);
  answer.writeInt8(PRECISION, 3);
  REFERENCE.copy(answer, 12);
  request.copy(answer, 24, 40, LENGTH);
  for (const at of [16, 32, 40]) writeTimestamp(answer, at, now);
  return answer;
}

/** Seconds since 1900, modulo 2^32, and fractions of 2^-32 seconds [RFC 5905, 6]. */
function writeTimestamp(packet: Buffer, at: number, now: number): void {
  const seconds = Math.floor(now / 1000) + SECONDS_FROM_1900_TO_1970;
  packet.writeUInt32BE(seconds % FRACTIONS_PER_SECOND, at);
  packet.writeUInt32BE(Math.floor(((now % 1000) / 1000) * FRACTIONS_PER_SECOND), at + 4);
}
