import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Address } from './config.js';

/** Resolves with the address that it listens on. @throws the system's error, such as EADDRINUSE */
export async function listen(server: Server, { host, port }: Address): Promise<AddressInfo> {
  server.listen(port, host);
  await once(server, 'listening');
  return server.address() as AddressInfo;
}

/**
 * Returns a function that closes every connection of a listener at once, including those that are still in their TLS
 * handshake.
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
