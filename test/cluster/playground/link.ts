/** A link between two programs that can be cut like a cable: no byte comes or goes, and neither side sees why. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Link {
  /** Of 127.0.0.1. What is sent there arrives at the other end. */
  readonly port: number;
  cut(): void;
  /** What was sent meanwhile arrives now. */
  mend(): void;
}

const HOST = '127.0.0.1';

/** @param target the port of 127.0.0.1 that it leads to */
export async function startLink(target: number): Promise<Link> {
  const pairs = new Set<[Socket, Socket]>();
  let isCut = false;
  const server = createServer({ pauseOnConnect: true }, (near) => {
    const far = connect(target, HOST);
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const [socket, other] of [pair, [far, near] as const]) {
      socket.on('error', () => undefined);
      socket.once('close', () => {
        pairs.delete(pair);
        other.destroySoon();
      });
    }
    if (!isCut) join(pair);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      isCut = true;
      for (const pair of pairs) part(pair);
    },
    mend() {
      isCut = false;
      for (const pair of pairs) join(pair);
    },
  };
}

function join([near, far]: [Socket, Socket]): void {
  near.pipe(far);
  far.pipe(near);
}

function part([near, far]: [Socket, Socket]): void {
  near.unpipe(far).pause();
  far.unpipe(near).pause();
}
