/** Only the SHA-256 of a secret is stored. Secrets are long and random, so a slow hash is not necessary. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const PASSWORD_BYTES = 24;

/**
 * A new device password of 192 random bits. It is hexadecimal, because a `-` at its start would look like an option.
 */
export const makePassword = (): string => randomBytes(PASSWORD_BYTES).toString('hex');

/** SHA-256 as 64 hexadecimal digits. */
export const digest = (secret: string | Uint8Array): string =>
  createHash('sha256').update(secret).digest('hex');

/** Compares two digests in constant time. */
export const sameDigest = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
