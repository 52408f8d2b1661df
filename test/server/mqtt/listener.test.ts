import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEndpoint } from './endpoint.js';

test("listening on a port that is taken rejects with the system's error", async () => {
  const endpoint = await startEndpoint();
  try {
    await endpoint.mqtt.listen({ host: '127.0.0.1', port: endpoint.ports.tcp });
    assert.unreachable('it listens on a port that is taken');
  } catch (error) {
    assert.is((error as NodeJS.ErrnoException).code, 'EADDRINUSE');
  }
  await endpoint.close();
});

test.run();
