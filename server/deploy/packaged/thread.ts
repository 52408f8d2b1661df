import { Worker } from 'node:worker_threads';

/** In the package the thread's program lies beside the others. */
export const startThread = (): Worker => new Worker(new URL('./issuer-thread.js', import.meta.url));
