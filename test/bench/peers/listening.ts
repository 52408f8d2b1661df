import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import type { Address } from '../../../server/config.js';
import type { Program } from '../program.js';

const RETRY_MS = 20;

/** Where a peer that prints its address listens. */
export const listening = (peer: Program): Promise<Address> =>
  peer.line((line) => {
    const { address, port } = JSON.parse(line);
    return { host: address, port };
  });

/** Resolves when something accepts connections there. */
export async function accepting({ host, port }: Address): Promise<void> {
  for (;;) {
    const socket = connect(port, host);
    const accepted = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (accepted) return;
    await after(RETRY_MS);
  }
}

/** Asks a program again and again until it answers. @throws ProgramFailed when it ends before */
export async function answering(peer: Program, ask: () => Promise<unknown>): Promise<void> {
  while (!(await ask().then(Boolean, () => false))) {
    if (!peer.isRunning) await peer.output();
    await after(RETRY_MS);
  }
}
