import { isReady, type Readiness } from '../readiness.js';
import { sendJson } from './call.js';
import type { Router } from './router.js';

/** The program that watches a container, or a balancer, asks by an address that the server does not know. */
const OF_ANYBODY = { host: false, origin: false };

/**
 * `GET /healthz`: whether the process should go on; `{"status"}`. `GET /readyz`: whether a balancer should send clients;
 * `{"ready","checks":[{"name","ok","warning"?},…]}`. Both answer 503 when not.
 */
export function routeHealth(
  router: Router,
  { isHealthy, readiness }: { readonly isHealthy: () => boolean; readonly readiness: Readiness },
): void {
  const answer = (path: string, look: () => { isGood: boolean; body: object }) => {
    router.onPublic(path, OF_ANYBODY, async (_, res) => {
      const { isGood, body } = look();
      const json = JSON.stringify(body);
      sendJson(res, isGood ? 200 : 503, json);
      return json.length;
    });
  };
  answer('/healthz', () => {
    const isGood = isHealthy();
    return { isGood, body: { status: isGood ? 'ok' : 'storage unavailable' } };
  });
  answer('/readyz', () => {
    const checks = readiness.ask();
    const ready = isReady(checks);
    return { isGood: ready, body: { ready, checks } };
  });
}
