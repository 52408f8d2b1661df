/** The link of the other tests: cut, it passes nothing and ends nothing. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../until.js';
import { type Link, startLink } from './link.js';

/** What has arrived at one end. */
interface End {
  readonly socket: Socket;
  text: string;
  isOver: boolean;
}

interface Context {
  server: Server;
  link: Link;
  /** At the far end, in the order in which they were made. */
  far: End[];
}

const tests = suite<Context>('a link that can be cut');

const endOf = (socket: Socket): End => {
  const end: End = { socket, text: '', isOver: false };
  socket.on('data', (bytes) => {
    end.text += bytes;
  });
  socket.on('close', () => {
    end.isOver = true;
  });
  return end;
};

tests.before.each(async (context) => {
  context.far = [];
  context.server = createServer((socket) => context.far.push(endOf(socket))).listen(0, '127.0.0.1');
  await once(context.server, 'listening');
  context.link = await startLink((context.server.address() as AddressInfo).port);
});
tests.after.each(async ({ server, link, far }) => {
  await link.close();
  for (const { socket } of far) socket.destroy();
  server.close();
});

/** Both ends of a new connection through the link. */
async function connected({ link, far }: Context): Promise<[near: End, far: End]> {
  const count = far.length;
  const near = endOf(connect(link.port, '127.0.0.1'));
  await until(() => far.length > count);
  return [near, far[count] as End];
}

/** Another connection, by a link that is whole, shows that there was time for what is held back. */
async function untilOthersPass({ far }: Context, target: number): Promise<void> {
  const other = await startLink(target);
  const count = far.length;
  const near = connect(other.port, '127.0.0.1');
  near.write('passes');
  await until(() => far[count]?.text === 'passes');
  await other.close();
}

const portOf = ({ server }: Context): number => (server.address() as AddressInfo).port;

tests('it passes what is sent in both directions, and the end', async (context) => {
  const [near, far] = await connected(context);
  near.socket.write('question');
  await until(() => far.text === 'question');
  far.socket.end('answer');
  await until(() => near.text === 'answer' && near.isOver);
});

tests('cut, it holds back what is sent, and the end, until it is whole again', async (context) => {
  const [near, far] = await connected(context);
  context.link.cut();
  near.socket.end('question');
  far.socket.write('answer');
  await untilOthersPass(context, portOf(context));
  assert.equal([near.text, far.text, near.isOver, far.isOver], ['', '', false, false]);
  context.link.heal();
  await until(() => near.text === 'answer' && far.text === 'question' && near.isOver && far.isOver);
});

tests('cut, it tells neither end that the other one was lost', async (context) => {
  const [near, far] = await connected(context);
  context.link.cut();
  near.socket.resetAndDestroy();
  await untilOthersPass(context, portOf(context));
  assert.not(far.isOver);
  context.link.heal();
  await until(() => far.isOver);
});

tests('cut, it makes no new connection to the far end', async (context) => {
  context.link.cut();
  const near = connect(context.link.port, '127.0.0.1');
  await once(near, 'connect');
  await untilOthersPass(context, portOf(context));
  assert.is(context.far.length, 1);
  context.link.heal();
  await until(() => context.far.length === 2);
});

tests('cut for those that listen, it passes the others', async (context) => {
  const [listener, farListener] = await connected(context);
  const [other, farOther] = await connected(context);
  context.link.cut('listening');
  other.socket.write('SELECT 1');
  listener.socket.write('LISTEN changes');
  await until(() => farOther.text === 'SELECT 1');
  assert.is(farListener.text, '');
  context.link.heal();
  await until(() => farListener.text === 'LISTEN changes');
});

tests.run();
