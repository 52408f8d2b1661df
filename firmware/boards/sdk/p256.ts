/** The SDK's arithmetic. What it cannot bear, such as s = 0, at which it would not end, is refused before it. */

/// <reference path="./untyped.d.ts" />
import { Digest } from 'crypt';
import Curve from 'curve';
import ECDSA from 'ecdsa';
import ECPoint from 'ecp';
import type { P256 } from '../../verify.js';

export const p256: P256 = {
  sha256(parts) {
    const digest = new Digest('SHA256');
    // It takes views as well, which its types do not say.
    parts.forEach((part) => {
      digest.write(part as unknown as ArrayBuffer);
    });
    return new Uint8Array(digest.close());
  },
  verify(key, digest, signature) {
    const point = ECPoint.fromOctetString(key);
    return new ECDSA(point, new Curve('secp256r1')).verify(digest.buffer, signature.buffer);
  },
};
