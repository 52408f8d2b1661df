/** The thread of `issuer.ts`: requests in, key pairs out, in their order. */

import { parentPort } from 'node:worker_threads';
import { type CertificateRequest, issue } from './issue.js';

parentPort?.on('message', async (request: CertificateRequest) => {
  parentPort?.postMessage(await issue(request));
});
