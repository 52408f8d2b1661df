import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { WORK } from '../work.js';
import type { Member, Shares } from './shares.js';
import { sourceOf } from './source.js';

/**
 * Lets each TLS handshake of a listener begin only when the share of its source is open. A handshake costs the server
 * more than most requests, and a client needs no credential for it. It must be called before other functions listen for
 * connections.
 */
export function paceHandshakes(listener: Server, shares: Shares): void {
  const begin = listener.listeners('connection') as ((socket: Socket) => void)[];
  listener.removeAllListeners('connection');
  listener.on('connection', (socket) => {
    const share = shares.of(`source ${sourceOf(socket.remoteAddress ?? '')}`);
    const handshake = () => {
      share.spend(WORK.handshake);
      for (const each of begin) each.call(listener, socket);
    };
    if (share.isOpen) return handshake();
    const waiting: Member = {
      pause: () => undefined,
      resume() {
        share.leave(waiting);
        socket.off('error', ignore);
        if (!socket.destroyed) handshake();
      },
    };
    share.join(waiting);
    socket.on('error', ignore);
    socket.once('close', () => share.leave(waiting));
  });
}

/** The socket closes after an error. */
const ignore = (): void => undefined;
