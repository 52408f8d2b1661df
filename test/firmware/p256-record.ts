/** A record of the arithmetic on Node, for what runs elsewhere. */

import { nodeP256 } from '../../firmware/desktop/board/p256.js';
import type { P256 } from '../../firmware/verify.js';

export type Answer = number[] | boolean;

/** The same, and all that it answered, in order. */
export function recordedP256(): { p256: P256; answers: Answer[] } {
  const answers: Answer[] = [];
  const p256 = nodeP256();
  return {
    answers,
    p256: {
      sha256(parts) {
        const digest = p256.sha256(parts);
        answers.push([...digest]);
        return digest;
      },
      verify(key, digest, signature) {
        const answer = p256.verify(key, digest, signature);
        answers.push(answer);
        return answer;
      },
    },
  };
}
