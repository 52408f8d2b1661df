/** The arithmetic of the panel's proof of its server, by Node. */

import { createHash, createPublicKey, verify } from 'node:crypto';
import type { P256 } from '../../verify.js';

/** Node reads a point with this before it. */
const SPKI = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');

/** Node's `verify` hashes by itself, so the text of each digest is remembered. */
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
