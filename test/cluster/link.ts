/** A TCP link that can be cut without a word to either end, as when a cable is pulled. It runs in the process of the test. */

import { once } from 'node:events';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';

const HOST = '127.0.0.1';
/** The words by which a connection says that it wants to hear notifications. */
const LISTENS = 'LISTEN ';

/**
 * `all`: nothing passes. `listening`: nothing passes on the connections that listen to notifications of PostgreSQL. They
 * are known by their words, which TLS would hide.
 */
type Cut = 'all' | 'listening';

export interface Link {
  /** Where it is reached, at 127.0.0.1. */
  readonly port: number;
  /**
   * From now on nothing passes in either direction. No connection ends, and new ones are made but not served. What was
   * sent arrives when the link is whole again, as TCP repeats it.
   */
  cut(which?: Cut): void;
  heal(): void;
  close(): Promise<void>;
}

/** @param target a port of 127.0.0.1 */
export async function startLink(target: number): Promise<Link> {
  let isHeld: (isListening: boolean) => boolean = () => false;
  let waiting: (() => void)[] = [];
  const sockets = new Set<Socket>();

  const server = createServer({ allowHalfOpen: true }, (client) => {
    let isListening = false;
    const whenWhole = (then: () => void): void => {
      if (isHeld(isListening)) waiting.push(() => whenWhole(then));
      else then();
    };
    const through = (look: (bytes: Buffer) => void = () => undefined): Transform =>
      new Transform({
        transform(bytes: Buffer, _: BufferEncoding, pass: TransformCallback) {
          look(bytes);
          whenWhole(() => pass(null, bytes));
        },
        flush: (pass) => whenWhole(() => pass()),
      });
    const database = new Socket({ allowHalfOpen: true });
    const ends: [Socket, Socket][] = [
      [client, database],
      [database, client],
    ];
    for (const [one, other] of ends) {
      sockets.add(one);
      one.on('error', () => whenWhole(() => other.destroy()));
      one.on('close', () => sockets.delete(one));
    }
    const lookForListen = (bytes: Buffer): void => {
      isListening ||= bytes.includes(LISTENS);
    };
    client.pipe(through(lookForListen)).pipe(database);
    database.pipe(through()).pipe(client);
    whenWhole(() => database.connect(target, HOST));
  });
  server.listen(0, HOST);
  await once(server, 'listening');

  return {
    port: (server.address() as AddressInfo).port,
    cut(which = 'all') {
      isHeld = (isListening) => which === 'all' || isListening;
    },
    heal() {
      isHeld = () => false;
      const passing = waiting;
      waiting = [];
      for (const pass of passing) pass();
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

export interface LinkedAddress extends Omit<Link, 'port'> {
  /** The same address with the ports of the links. */
  readonly url: string;
}

/** A link to each host of an address of databases at 127.0.0.1. They are cut together. */
export async function startLinks(url: string): Promise<LinkedAddress> {
  const links: Link[] = [];
  const parts = url.split(/(?<=127\.0\.0\.1:)(\d+)/);
  for (let at = 1; at < parts.length; at += 2) {
    const link = await startLink(Number(parts[at]));
    parts[at] = `${link.port}`;
    links.push(link);
  }
  return {
    url: parts.join(''),
    cut(which) {
      for (const link of links) link.cut(which);
    },
    heal() {
      for (const link of links) link.heal();
    },
    async close() {
      await Promise.all(links.map((link) => link.close()));
    },
  };
}
