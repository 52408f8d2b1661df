/** Secrets are kept as SHA-256 only: they are long and random, so nothing slower is needed to keep them from guessing. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const PASSWORD_BYTES = 24;

/** A new device password: 192 random bits, in hexadecimal so that no command line takes one for an option. */
export const makePassword = (): string => randomBytes(PASSWORD_BYTES).toString('hex');

/** SHA-256 as 64 hexadecimal digits. */
export const digest = (secret: string | Uint8Array): string =>
  createHash('sha256').update(secret).digest('hex');

/** Compares two digests in constant time. */
export const sameDigest = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
