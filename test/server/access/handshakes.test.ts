import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer, type Server, connect as startTls } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { paceHandshakes } from '../../../server/access/handshakes.js';
import { Shares } from '../../../server/access/shares.js';
import { WORK } from '../../../server/work.js';
import { until } from '../../until.js';
import { OWN_TLS } from '../mqtt/transports.js';
import { TestLoop } from './test-loop.js';

interface Context {
  loop: TestLoop;
  listener: Server;
  /** The clients' addresses, in the order in which their handshakes were done. */
  secure: string[];
  /** Ends of the server, in the order in which they came. */
  came: Socket[];
  connect(localAddress: string): Promise<Socket>;
}

const test = suite<Context>('handshakes');

const HERE = '127.0.0.1';
const ELSEWHERE = '127.0.0.2';

test.before.each(async (context) => {
  const listener = createServer(OWN_TLS.options);
  const [secure, came]: [string[], Socket[]] = [[], []];
  const loop = new TestLoop();
  Object.assign(context, { listener, secure, came, loop });
  paceHandshakes(listener, new Shares({ turnWork: WORK.handshake, workPerSecond: 1e9 }, loop));
  listener.on('connection', (socket) => came.push(socket));
  listener.on('secureConnection', (socket) => {
    socket.on('error', () => undefined);
    secure.push(socket.remoteAddress ?? '');
  });
  listener.listen(0, HERE);
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  context.connect = async (localAddress) => {
    const before = came.length;
    const socket = connect({ host: HERE, port, localAddress });
    startTls({ socket, rejectUnauthorized: false }).on('error', () => undefined);
    await until(() => came.length > before);
    return socket;
  };
});

test.after.each(async ({ listener, came }) => {
  const closed = once(listener, 'close');
  listener.close();
  for (const socket of came) socket.destroy();
  await closed;
});

test('one source begins only so many handshakes in a turn, and another source does not wait', async ({
  loop,
  secure,
  connect,
}) => {
  await connect(HERE);
  await until(() => secure.length === 1);
  await connect(HERE);
  await connect(ELSEWHERE);
  await until(() => secure.length === 2);
  assert.equal(secure, [HERE, ELSEWHERE]);
  loop.turn();
  await until(() => secure.length === 3);
  assert.equal(secure, [HERE, ELSEWHERE, HERE]);
});

test('a client that leaves while it waits costs no handshake', async ({ loop, secure, came, connect }) => {
  await connect(HERE);
  await until(() => secure.length === 1);
  (await connect(HERE)).destroy();
  came[1]?.destroy();
  await until(() => came[1]?.closed === true);
  loop.turn();
  await connect(HERE);
  await until(() => secure.length === 2);
});

test.run();
