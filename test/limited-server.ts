/** The server as `server/main.ts` runs it, with limits that a test chooses: `TEST_LIMITS` holds them as JSON. */

import { stopSignal } from '../server/stop-signal.js';

const { runServer } = await import('../server/run.js');
runServer(stopSignal, JSON.parse(process.env.TEST_LIMITS ?? '{}'));
