import type { ServerWarning } from '../../shared/rest.js';
import { VERSION } from '../../shared/version.js';
import type { Token } from '../access/tokens.js';
import type { Devices } from '../devices/devices.js';
import type { Call } from './call.js';
import { hubNotFound } from './errors.js';
import { oneOfQuery, pageOf } from './params.js';
import type { Router } from './router.js';

/** The one hub that this server is, in the words of the Scaleway API. */
export interface Hub {
  id: string;
  region: string;
  createdAt: string;
  /** Where devices connect, host:port: with TLS where there is that. */
  endpoint: string;
  /** The certificate of the authority that signs those of the server and of the devices, in PEM. */
  authority: string;
  /** Where the app is, the address first that a phone should use. */
  appUrls: () => readonly string[];
  /** What an owner should know of the server although it works. */
  warnings: () => readonly ServerWarning[];
}

const READ = { resource: 'hub', action: 'read' } as const;
const WRITE = { resource: 'hub', action: 'write' } as const;
const NAME = 'alarm-twin';
const ORDERS = ['name', 'status', 'product_plan', 'created_at', 'updated_at'].flatMap((key) => [
  `${key}_asc`,
  `${key}_desc`,
]);

/** Whether the one hub is asked for by these filters, and is on this page of the list. @throws InvalidRequest */
function listed(call: Call, hubId: string): { isAsked: boolean; isOnPage: boolean } {
  oneOfQuery(call, 'order_by', ORDERS);
  const { number } = pageOf(call);
  const wanted = { name: NAME, project_id: hubId, organization_id: hubId };
  const isAsked = Object.entries(wanted).every(([key, own]) => (call.query(key) ?? own) === own);
  return { isAsked, isOnPage: number === 1 };
}

export function routeHubs(router: Router, hub: Hub, devices: Devices): void {
  const show = async ({ token }: Call) => ({
    id: hub.id,
    name: NAME,
    status: 'ready',
    product_plan: 'plan_shared',
    enabled: true,
    ...(await counts(token)),
    endpoint: hub.endpoint,
    disable_events: true,
    events_topic_prefix: '',
    created_at: hub.createdAt,
    updated_at: hub.createdAt,
    project_id: hub.id,
    organization_id: hub.id,
    enable_device_auto_provisioning: false,
    has_custom_ca: false,
    region: hub.region,
    app_urls: hub.appUrls(),
    version: VERSION,
    warnings: token.role === 'owner' ? hub.warnings() : [],
  });

  router.on('GET', '/hubs', READ, async (call) => {
    const { isAsked, isOnPage } = listed(call, hub.id);
    const hubs = isAsked && isOnPage ? [await show(call)] : [];
    call.sendObject({ hubs, total_count: isAsked ? 1 : 0 });
  });
  router.on('GET', '/hubs/:hub_id', READ, async (call) => {
    refuseOther(call);
    call.sendObject(await show(call));
  });
  // It is always enabled.
  router.on('POST', '/hubs/:hub_id/enable', WRITE, async (call) => {
    refuseOther(call);
    call.sendObject(await show(call));
  });
  router.on('GET', '/hubs/:hub_id/ca', READ, async (call) => {
    refuseOther(call);
    call.sendObject({ ca_cert_pem: hub.authority });
  });

  /** Of the devices that the token is for. */
  async function counts(token: Token) {
    if (token.twin_ids === null) {
      return { device_count: await devices.count(), connected_device_count: devices.presence.count };
    }
    const own = await devices.list({ ids: token.twin_ids });
    const connected = own.devices.filter(({ is_connected }) => is_connected);
    return { device_count: own.total, connected_device_count: connected.length };
  }

  function refuseOther(call: Call): void {
    const id = call.id('hub_id');
    if (id !== hub.id) throw hubNotFound(id);
  }
}
