/** What `npm run server` starts. It is apart from `run.ts` so that tests can start the same server with other limits. */

import { runServer } from './run.js';

runServer();
