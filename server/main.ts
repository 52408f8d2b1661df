/** The program of `npm run server`. Tests start `run.ts` itself, with other limits. */

import { stopSignal } from './stop-signal.js';

// The rest is loaded later, because a signal to stop may come while it is being loaded.
const { runServer } = await import('./run.js');
runServer(stopSignal);
