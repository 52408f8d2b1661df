/** The arithmetic that the panel proves its server with, by Node. */

import { createHash, createPublicKey, verify } from 'node:crypto';
import type { P256 } from '../../verify.js';

/** What is there before a point in the form that Node reads. */
const SPKI = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

/** Node hashes by itself: of what was hashed here, the digest is known. */
export function nodeP256(): P256 {
  const hashed = new Map<string, Buffer>();
  return {
    sha256(parts) {
      const bytes = Buffer.concat(parts);
      const digest = createHash('sha256').update(bytes).digest();
      hashed.set(digest.toString('hex'), bytes);
      return new Uint8Array(digest);
    },
    verify(key, digest, signature) {
      const publicKey = createPublicKey({ key: Buffer.concat([SPKI, key]), format: 'der', type: 'spki' });
      const bytes = hashed.get(Buffer.from(digest).toString('hex'));
      if (bytes === undefined || signature.length !== 64) throw new Error('not a question of the panel');
      return verify('sha256', bytes, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
    },
  };
}
