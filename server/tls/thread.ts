import { Worker } from 'node:worker_threads';

/** tsx must be registered in each thread. */
const BEGIN = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(${JSON.stringify(new URL('./issuer-thread.ts', import.meta.url).href)});
});`;

/** Starts the thread of `issuer-thread.ts`. */
export const startThread = (): Worker => new Worker(BEGIN, { eval: true });
