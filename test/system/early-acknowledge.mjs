// Preloaded into the server, this makes a build that acknowledges early: the journal is told that its bytes are written
// a little before they are. The crash test must find it out.

import fs from 'node:fs';

const DELAY_MS = 20;
const { write } = fs;

fs.write = (fd, bytes, offset, length, position, done) => {
  if (!Buffer.isBuffer(bytes) || bytes[offset] !== '#'.charCodeAt(0)) {
    return write(fd, bytes, offset, length, position, done);
  }
  setTimeout(() => fs.writeSync(fd, bytes, offset, length, position), DELAY_MS);
  setImmediate(() => done(null, length, bytes));
};
