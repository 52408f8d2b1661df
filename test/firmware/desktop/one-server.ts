/** For each test of a suite a workbench for panels, and a scripted server that they talk to. */

import type { Test } from 'uvu';
import { ScriptedServer } from './scripted-server.js';
import { Workbench } from './workbench.js';

export interface OneServer {
  bench: Workbench;
  server: ScriptedServer;
}

export function setUp(tests: Test<OneServer>): void {
  tests.before.each(async (context) => {
    context.bench = new Workbench();
    context.server = await ScriptedServer.listen();
  });
  tests.after.each(async ({ bench, server }) => {
    bench.end();
    await server.close();
  });
}
