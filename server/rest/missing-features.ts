import type { Permission } from '../access/permissions.js';
import { NOT_A_FEATURE } from './errors.js';
import type { Method, Router } from './router.js';

/** Calls of the Scaleway IoT Hub API that this server does not have. */
const MISSING: readonly [methods: readonly Method[], path: string, resource: Permission['resource']][] = [
  [['PATCH'], '/hubs/:hub_id', 'hub'],
  [['POST'], '/hubs/:hub_id/disable', 'hub'],
  [['POST'], '/hubs/:hub_id/ca', 'hub'],
  [['GET'], '/hubs/:hub_id/metrics', 'hub'],
  [['GET', 'PUT'], '/devices/:device_id/certificate', 'device'],
  [['GET'], '/devices/:device_id/metrics', 'device'],
  [['GET', 'POST'], '/routes', 'hub'],
  [['GET', 'PATCH', 'DELETE'], '/routes/:route_id', 'hub'],
  [['GET', 'POST'], '/networks', 'hub'],
  [['GET', 'DELETE'], '/networks/:network_id', 'hub'],
];

/** Says that this server does not have the call. The usual 404 would say that the path is wrong. */
export function routeMissingFeatures(router: Router): void {
  for (const [methods, path, resource] of MISSING) {
    for (const method of methods) {
      router.on(method, path, { resource, action: 'read' }, async () => {
        throw NOT_A_FEATURE;
      });
    }
  }
}
