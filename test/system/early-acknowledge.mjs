// Preloaded into the server, this makes a build that acknowledges early: the journal hears that its bytes are written
// a little before they are. The crash test must find it out.

import fs from 'node:fs';

const DELAY_MS = 20;
const { writeSync } = fs;

fs.writeSync = (fd, bytes, offset, length, position) => {
  const isFrame = Buffer.isBuffer(bytes) && bytes[offset] === '#'.charCodeAt(0);
  if (!isFrame) return writeSync(fd, bytes, offset, length, position);
  // The journal uses the memory again.
  const frame = Buffer.from(bytes.subarray(offset, offset + length));
  setTimeout(() => writeSync(fd, frame, 0, length, position), DELAY_MS);
  return length;
};
