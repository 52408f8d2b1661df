/**
 * Bare TLS of Node: it shakes hands with clients that must show a certificate, and answers CONNECT and SUBSCRIBE with
 * constants. Its arguments are the files of the authority and of its own certificate.
 */

import { readFileSync } from 'node:fs';
import { createServer } from 'node:tls';

const [authority = '', own = ''] = process.argv.slice(2).map((path) => readFileSync(path, 'utf8'));

/** They stay the same, so that clients resume their sessions after a restart, as those of the measured server do. */
const ticketKeys = Buffer.alloc(48);
const CONNACK = Buffer.from([0x20, 2, 0, 0]);
const SUBACK = Buffer.from([0x90, 3, 0, 1, 0]);
const CONNECT = 1;

const server = createServer(
  { ca: authority, cert: own, key: own, requestCert: true, noDelay: true, ticketKeys },
  (socket) => {
    socket.on('data', (bytes) => socket.write((bytes[0] ?? 0) >> 4 === CONNECT ? CONNACK : SUBACK));
    socket.on('error', () => socket.destroy());
  },
);

server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify(server.address()));
});
