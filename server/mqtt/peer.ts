import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { sourceOf } from '../access/source.js';
import type { Tls } from '../tls/tls.js';
import type { Peer } from './admission.js';

/** Who is at the other end of an accepted socket. @param tls of the listener that finished the handshake, if there was one */
export function peerOf(socket: Socket, tls: Tls | undefined): Peer {
  const address = `${socket.remoteAddress}:${socket.remotePort}`;
  if (tls === undefined) return { address, secure: false };
  const certificate = tls.shown(socket as TLSSocket);
  return certificate === undefined ? { address, secure: true } : { address, secure: true, certificate };
}

/** What limits count it as. */
export const sourceOfPeer = ({ address }: Peer): string =>
  sourceOf(address.slice(0, address.lastIndexOf(':')));
