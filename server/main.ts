/** What `npm run server` starts. It is apart from `run.ts` so that tests can start the same server with other limits. */

import { stopSignal } from './stop-signal.js';

// The process may be told to stop while the rest of the program is still being loaded.
const { runServer } = await import('./run.js');
runServer(stopSignal);
