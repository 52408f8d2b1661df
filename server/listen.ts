import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import type { Address } from './config.js';

/** Resolves with where it listens. @throws the system's error when it cannot, such as EADDRINUSE */
export async function listen(server: Server, { host, port }: Address): Promise<AddressInfo> {
  server.listen(port, host);
  await once(server, 'listening');
  return server.address() as AddressInfo;
}
