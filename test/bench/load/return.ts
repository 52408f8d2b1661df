/**
 * Panels with certificates that come back, each from an address of its own. The first line of standard input is a
 * {@link ReturnJob}. Each further line is an {@link Address}, to which all come: then a {@link Return} is printed. Or it is
 * `leave`: then all connections are cut, and `left` is printed.
 */

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { SecureContext, TLSSocket } from 'node:tls';
import type { Address } from '../../../server/config.js';
import { forEach, introduce } from './device.js';
import { contextOf, dial } from './dial.js';
import type { Credentials, Return, ReturnJob } from './job.js';

/** Fewer than a listener of Node lets wait: one more would wait a second until it asks again. */
const AT_ONCE = 256;

interface Panel {
  readonly device: Credentials;
  readonly secureContext: SecureContext;
  readonly localAddress: string;
  /** What it was given last to take up again. */
  session?: Buffer;
  socket?: Socket;
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const job: ReturnJob = JSON.parse((await lines.next()).value);

const panels: Panel[] = job.devices.map((device, index) => ({
  device,
  secureContext: contextOf(device.certificate),
  localAddress: `127.1.${index >> 8}.${index & 0xff}`,
}));

async function comeBack(address: Address): Promise<Return> {
  const began = performance.now();
  const cpuBegan = process.cpuUsage();
  let resumed = 0;
  let cutOff = 0;
  await forEach(panels, AT_ONCE, async (panel) => {
    for (;;) {
      const socket = connectPanel(panel, address);
      try {
        await introduce(socket, panel.device);
        if (socket.isSessionReused()) resumed += 1;
        return;
      } catch (error) {
        cutOff += 1;
        if (cutOff > panels.length) throw error;
      }
    }
  });
  const milliseconds = performance.now() - began;
  const { user, system } = process.cpuUsage(cpuBegan);
  return { seconds: milliseconds / 1000, resumed, cutOff, busy: (user + system) / 1000 / milliseconds };
}

function connectPanel(panel: Panel, address: Address): TLSSocket {
  const { secureContext, session, localAddress } = panel;
  const socket = dial(address, { secureContext, session, localAddress }) as TLSSocket;
  panel.socket = socket;
  return socket.on('session', (next) => {
    panel.session = next;
  });
}

async function leave(): Promise<void> {
  await Promise.all(
    panels.map(async ({ socket }) => {
      if (socket === undefined || socket.destroyed) return;
      const closed = once(socket, 'close');
      socket.destroy();
      await closed;
    }),
  );
}

for await (const line of lines) {
  if (line !== 'leave') console.log(JSON.stringify(await comeBack(JSON.parse(line))));
  else {
    await leave();
    console.log('left');
  }
}
