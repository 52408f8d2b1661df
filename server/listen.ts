import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Address } from './config.js';

/** Resolves with where it listens. @throws the system's error when it cannot, such as EADDRINUSE */
export async function listen(server: Server, { host, port }: Address): Promise<AddressInfo> {
  server.listen(port, host);
  await once(server, 'listening');
  return server.address() as AddressInfo;
}

/**
 * Returns what ends every connection of a listener at once, even one that is still in its TLS handshake and that nobody
 * else knows of.
 */
export function dropperOf(server: Server): () => void {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}
