import type { Server, Socket } from 'node:net';
import { type ConnectionLimit, TOO_MANY } from './connection-limit.js';
import { type Client, type ProxyHeader, readProxyHeader } from './proxy-header.js';
import { sourceOf } from './source.js';

interface Parts {
  /** Counts a connection for its balancer until its header has come. It knows the balancers, too. */
  readonly connections: ConnectionLimit;
  /** How long the first bytes may take, in milliseconds. */
  readonly firstBytesMs: number;
  /** A connection was closed before anything of it was served. @param source that of the balancer */
  readonly refused: (source: string, reason: string) => void;
}

/**
 * Gives each connection of a named balancer the address of its client, as `remoteAddress` and `remotePort`, when it begins
 * with a header of the PROXY protocol. Nothing else on the listener sees the connection before. Without a header it keeps
 * its address. From others the header is never read: it is no HTTP, no TLS and no MQTT, and is refused as such.
 *
 * It must be called after all other functions that listen for connections.
 * @returns a function that closes the connections whose header has not come
 */
export function readProxyHeaders(
  listener: Server,
  { connections, firstBytesMs, refused }: Parts,
): () => void {
  const { proxies } = connections;
  const waiting = new Set<Socket>();
  if (proxies === undefined || proxies.isEmpty) return () => undefined;
  const clients = clientsBehindTls(listener);
  const others = listener.listeners('connection') as ((socket: Socket) => void)[];
  const seen = new WeakSet<Socket>();
  const serve = (socket: Socket) => {
    for (const each of others) each.call(listener, socket);
  };
  listener.removeAllListeners('connection');
  listener.on('connection', (socket) => {
    const { remoteAddress = '' } = socket;
    // The same connection comes again when its request for another protocol was not granted.
    if (seen.has(socket) || !proxies.has(remoteAddress)) return serve(socket);
    seen.add(socket);
    const source = sourceOf(remoteAddress);
    const refuse = (reason: string) => {
      refused(source, reason);
      socket.destroy();
    };
    if (!connections.take(source, Number.POSITIVE_INFINITY)) return refuse(TOO_MANY);
    waiting.add(socket);
    const settled = () => {
      waiting.delete(socket);
      connections.release(source);
    };
    firstBytes(socket, firstBytesMs, settled, (header) => {
      if (header === 'malformed') return refuse('malformed header of the PROXY protocol');
      if (header !== 'absent' && header.client !== undefined) {
        clients.add(socket, header.client);
        comeFrom(socket, header.client);
      }
      serve(socket);
    });
  });
  return () => {
    for (const socket of waiting) socket.destroy();
  };
}

/**
 * Takes the header from the beginning of a connection, and leaves what is behind it in the socket, as if it had just come.
 * @param settled called once, before `done`, or when the connection closes without it
 */
function firstBytes(
  socket: Socket,
  ms: number,
  settled: () => void,
  done: (header: Exclude<ProxyHeader, 'incomplete'>) => void,
): void {
  let bytes = Buffer.alloc(0);
  const close = () => socket.destroy();
  const timer = setTimeout(close, ms);
  const stop = () => {
    clearTimeout(timer);
    socket.off('readable', read).off('end', close).off('close', stop).off('error', ignore);
    settled();
  };
  const read = () => {
    for (let piece = socket.read(); piece !== null; piece = socket.read())
      bytes = Buffer.concat([bytes, piece]);
    const header = readProxyHeader(bytes);
    if (header === 'incomplete') return;
    stop();
    const behind = typeof header === 'string' ? bytes : bytes.subarray(header.length);
    if (behind.length > 0) socket.unshift(behind);
    // The stream forgets in this turn that somebody listened for `readable`. Then it can be read in another way.
    process.nextTick(() => {
      // The other side has closed, and sent nothing for a protocol to answer.
      if (socket.destroyed || socket.readableEnded) close();
      else done(header);
    });
  };
  socket.on('error', ignore).on('end', close).on('close', stop).on('readable', read);
}

/** The socket closes after an error. */
const ignore = (): void => undefined;

function comeFrom(socket: Socket, { address, port }: Client): void {
  Object.defineProperties(socket, { remoteAddress: { value: address }, remotePort: { value: port } });
}

/**
 * The socket of a TLS connection is another object than that of the connection below, and asks the system for the address.
 * Both have the ports and addresses of the same connection with the balancer, by which the client is found.
 */
function clientsBehindTls(listener: Server): { add(socket: Socket, client: Client): void } {
  const clients = new Map<string, Client>();
  listener.prependListener('secureConnection', (socket: Socket) => {
    const client = clients.get(connectionOf(socket));
    if (client !== undefined) comeFrom(socket, client);
  });
  return {
    add(socket, client) {
      const connection = connectionOf(socket);
      clients.set(connection, client);
      socket.once('close', () => {
        if (clients.get(connection) === client) clients.delete(connection);
      });
    },
  };
}

const connectionOf = ({ remoteAddress, remotePort, localAddress }: Socket): string =>
  `${remoteAddress} ${remotePort} ${localAddress}`;
