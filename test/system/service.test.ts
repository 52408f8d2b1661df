/** The server as systemd starts it: with a socket for messages, which systemd's own program sends. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../programs.js';
import { type Program, startProgram } from './process.js';
import { startServer } from './server.js';

/** Stands for systemd: prints each message, its lines joined by a blank. */
const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print("ready", flush=True)
while True:
    print(receiver.recv(4096).decode().strip().replace("\\n", " "), flush=True)
`;

const tests = suite<{ directory: string; receiver: Program; socket: string }>('as a service');
const test = needsIn(tests, 'systemd-notify', 'python3');

tests.before.each(async (context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'notify-'));
  context.socket = join(context.directory, 'notify');
  context.receiver = startProgram(['python3', '-c', RECEIVER, context.socket]);
  await context.receiver.line((line) => (line === 'ready' ? line : undefined));
});
tests.after.each(async ({ directory, receiver }) => {
  await receiver.stop('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const heard = (receiver: Program, word: string): Promise<string> =>
  receiver.line((line) => (line.startsWith(word) ? line : undefined));

test('the server says when it serves, goes on saying that it works, and says when it stops', async ({
  receiver,
  socket,
}) => {
  const server = await startServer({ env: { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' } });
  await heard(receiver, 'READY=1');
  let proofs = 0;
  await receiver.line((line) => (line.startsWith('WATCHDOG=1') && ++proofs === 3 ? line : undefined));
  const { code } = await server.stop();
  assert.is(code, 0);
  await heard(receiver, 'STOPPING=1');
  const words = receiver.lines.map((line) => line.split(' ')[0]).filter((word) => word?.endsWith('=1'));
  assert.equal(words.indexOf('READY=1'), 0);
  assert.equal(
    words.filter((word) => !['WATCHDOG=1', 'BARRIER=1'].includes(word ?? '')),
    ['READY=1', 'STOPPING=1'],
  );
});

test('a server that cannot start never says that it serves', async ({ directory, receiver, socket }) => {
  const program = startProgram([process.execPath, '--import', 'tsx', 'server/main.ts'], {
    NOTIFY_SOCKET: socket,
    TWIN_DATA: join(directory, 'data'),
    TWIN_HTTP: '192.0.2.1:1',
    TWIN_ALLOW_INSECURE: '1',
  });
  assert.is((await program.ended).code, 1);
  assert.equal(receiver.lines, ['ready']);
});

tests.run();
