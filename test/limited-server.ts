/** The server as `server/main.ts` runs it, with limits that a test chooses: `TEST_LIMITS` holds them as JSON. */

import { runServer } from '../server/run.js';

runServer(JSON.parse(process.env.TEST_LIMITS ?? '{}'));
