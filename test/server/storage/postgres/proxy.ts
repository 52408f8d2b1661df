/** A network between the storage and its PostgreSQL that a test breaks where it wants. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

interface Link {
  readonly client: Socket;
  readonly database: Socket;
  /** All that the client has sent, to know it by. */
  sent: string;
  isSilent: boolean;
}

export interface BrokenNetwork {
  /** The same address, through the proxy. */
  readonly url: string;
  /**
   * The next request that contains the text is carried out, and its answer is lost: the connection breaks. Resolves when
   * that has happened.
   */
  loseAnswerTo(text: string): Promise<void>;
  /** The connections whose client has ever sent the text break. Without a text all do. */
  cut(text?: string): void;
  /** Those connections stay, and nothing passes any more. */
  silence(text?: string): void;
  /** From now on new connections are refused, or let through again. */
  refuse(isRefusing: boolean): void;
  close(): Promise<void>;
}

export async function startProxy(url: string): Promise<BrokenNetwork> {
  const target = new URL(url);
  const links = new Set<Link>();
  let lost: { readonly text: string; readonly done: () => void } | undefined;
  let isRefusing = false;

  const server = createServer((client) => {
    if (isRefusing) return client.destroy();
    const link: Link = {
      client,
      database: connect(Number(target.port), target.hostname),
      sent: '',
      isSilent: false,
    };
    links.add(link);
    let isDoomed = false;
    client.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      link.sent += text;
      if (lost !== undefined && text.includes(lost.text)) isDoomed = true;
      if (!link.isSilent) link.database.write(bytes);
    });
    link.database.on('data', (bytes) => {
      if (isDoomed) {
        end(link);
        lost?.done();
        lost = undefined;
      } else if (!link.isSilent) client.write(bytes);
    });
    for (const socket of [client, link.database]) {
      socket.on('error', () => undefined);
      socket.on('close', () => end(link));
    }
  });

  function end(link: Link): void {
    links.delete(link);
    link.client.destroy();
    link.database.destroy();
  }

  const linksWith = (text: string): Link[] => [...links].filter(({ sent }) => sent.includes(text));

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const through = new URL(url);
  through.port = `${(server.address() as AddressInfo).port}`;
  return {
    url: through.href,
    loseAnswerTo: (text) =>
      new Promise((done) => {
        lost = { text, done };
      }),
    cut: (text = '') => linksWith(text).forEach(end),
    silence(text = '') {
      for (const link of linksWith(text)) link.isSilent = true;
    },
    refuse(given) {
      isRefusing = given;
    },
    async close() {
      for (const link of links) end(link);
      server.close();
      await once(server, 'close');
    },
  };
}
