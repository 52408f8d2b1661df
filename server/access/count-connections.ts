import type { Server, Socket } from 'node:net';
import type { ConnectionLimit } from './connection-limit.js';
import { sourceOf } from './source.js';

/**
 * Counts the connections of a listener, before a TLS handshake where it makes one, and ends at once what is one too many.
 * @param refused is told the source of each that was ended
 */
export function countConnections(
  server: Server,
  limit: ConnectionLimit,
  refused: (source: string) => void,
): void {
  const counted = new WeakSet<Socket>();
  server.on('connection', (socket) => {
    // A connection comes again where its request for another protocol was not granted.
    if (counted.has(socket)) return;
    const source = sourceOf(socket.remoteAddress ?? '');
    if (!limit.open(source)) {
      refused(source);
      socket.destroy();
      return;
    }
    counted.add(socket);
    socket.once('close', () => limit.close(source));
  });
}
