/** The thread of `issuer.ts`. It answers when a certificate is ready, in no order. */

import { parentPort } from 'node:worker_threads';
import { type CertificateRequest, issue } from './issue.js';
import type { KeyPair } from './key-pair.js';

export interface Question {
  id: number;
  request: CertificateRequest;
}

/** The key pair, or why it could not be made. */
export type Answer = { id: number } & ({ pair: KeyPair } | { reason: string });

parentPort?.on('message', ({ id, request }: Question) => {
  const answer = (answer: Answer) => parentPort?.postMessage(answer);
  issue(request).then(
    (pair) => answer({ id, pair }),
    (error: Error) => answer({ id, reason: error.message }),
  );
});
