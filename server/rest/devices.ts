import type { JsonObject } from '../../shared/document.js';
import type { DeviceChanges } from '../devices/device.js';
import type { Devices } from '../devices/devices.js';
import type { DeviceQuery, Listed } from '../devices/listing.js';
import type { KeyType } from '../tls/key-pair.js';
import { InvalidRequest } from '../twins/errors.js';
import type { Call } from './call.js';
import { hubNotFound } from './errors.js';
import { boundedText, DESCRIPTION_LENGTH, field, oneOfQuery, pageOf } from './params.js';
import type { Router } from './router.js';

const DEVICE = '/devices/:device_id';
const READ = { resource: 'device', action: 'read' } as const;
const WRITE = { resource: 'device', action: 'write' } as const;

const NAME_LENGTH = 255;
/** [ext] Of a renewed certificate. The boards' TLS (Moddable SDK 8.2) can use RSA keys only. */
const KEY_TYPES: readonly KeyType[] = ['ecdsa', 'rsa'];

/** @param hubId the one hub that devices can be on */
export function routeDevices(router: Router, devices: Devices, hubId: string): void {
  router.on('GET', '/devices', READ, async (call) => {
    const { devices: page, total } = await devices.list(queryOf(call, hubId));
    call.sendObject({ devices: page, total_count: total });
  });

  router.on('POST', '/devices', WRITE, async (call) => {
    const body = await call.object();
    const { description, ...flags } = changes(body, hubId);
    const name = nameIn(body);
    if (name === undefined) throw new InvalidRequest('name', 'required', 'a device has a name');
    const input = { name, ...(description !== undefined && { description }), ...flags };
    const made = await devices.create(input, call);
    call.audit('device_created', { device_id: made.device.id });
    call.sendObject(made);
  });

  router.on('GET', DEVICE, READ, async (call) => call.sendObject(await devices.get(deviceId(call))));

  router.on('PATCH', DEVICE, WRITE, async (call) => {
    const body = await call.object();
    // An extension: in the Scaleway API the name of a device stays.
    const name = nameIn(body);
    const wanted = { ...changes(body, hubId), ...(name !== undefined && { name }) };
    const device = await devices.update(deviceId(call), wanted, call);
    call.audit('device_changed', { device_id: device.id, reason: reasonOf(wanted) });
    call.sendObject(device);
  });

  router.on('DELETE', DEVICE, WRITE, async (call) => {
    const id = deviceId(call);
    await devices.remove(id, call);
    call.audit('device_deleted', { device_id: id });
    call.sendNothing();
  });

  for (const deed of ['enable', 'disable'] as const) {
    router.on('POST', `${DEVICE}/${deed}`, WRITE, async (call) => {
      const device = await devices[deed](deviceId(call), call);
      call.audit('device_changed', { device_id: device.id, reason: `${deed}d` });
      call.sendObject(device);
    });
  }

  router.on('POST', `${DEVICE}/renew-certificate`, WRITE, async (call) => {
    const keyType = oneOfQuery(call, 'key_type', KEY_TYPES) ?? 'ecdsa';
    const renewed = await devices.renew(deviceId(call), keyType, call);
    call.audit('credentials_renewed', { device_id: renewed.device.id });
    call.sendObject(renewed);
  });
}

/** @throws InvalidRequest for an empty or a too long one */
function nameIn(body: JsonObject): string | undefined {
  const name = boundedText(body, 'name', NAME_LENGTH);
  if (name === '') throw new InvalidRequest('name', 'required', 'a device has a name');
  return name;
}

const deviceId = (call: Call): string => call.id('device_id');

const reasonOf = (changed: DeviceChanges): string =>
  Object.entries(changed)
    .map(([field, value]) => (typeof value === 'boolean' ? `${field}: ${value}` : field))
    .join(', ');

/** A restriction that is accepted and dropped would leave the device with more rights than its owner knows. */
function refuseFilters(body: JsonObject): void {
  const filters = Object.hasOwn(body, 'message_filters') ? body.message_filters : undefined;
  if (filters === undefined || filters === null || Object.keys(filters).length === 0) return;
  throw new InvalidRequest(
    'message_filters',
    'constraint',
    'not a feature of this server: a device reaches its own twin only, and all of it',
  );
}

/** The fields that creating and updating share; others of the Scaleway API are accepted and have no meaning here. */
function changes(body: JsonObject, hubId: string): DeviceChanges {
  const hub = field(body, 'hub_id', 'text') ?? hubId;
  if (hub !== hubId) throw hubNotFound(hub);
  refuseFilters(body);
  const found: DeviceChanges = {};
  const description = boundedText(body, 'description', DESCRIPTION_LENGTH);
  const insecure = field(body, 'allow_insecure', 'flag');
  const multiple = field(body, 'allow_multiple_connections', 'flag');
  if (description !== undefined) found.description = description;
  if (insecure !== undefined) found.allow_insecure = insecure;
  if (multiple !== undefined) found.allow_multiple_connections = multiple;
  return found;
}

function queryOf(call: Call, ownHubId: string): DeviceQuery {
  const { number, size } = pageOf(call);
  const insecure = oneOfQuery(call, 'allow_insecure', ['true', 'false']);
  const status = oneOfQuery(call, 'status', ['unknown', 'enabled', 'disabled', 'error']);
  const order = oneOfQuery(call, 'order_by', ORDERS) ?? 'created_at_asc';
  const [name, hubId] = [call.query('name'), call.query('hub_id')];
  const isFiltered = [insecure, status, name, hubId].some((given) => given !== undefined);
  const isWanted = (device: Listed): boolean =>
    (name === undefined || device.name === name) &&
    (hubId === undefined || hubId === ownHubId) &&
    (insecure === undefined || String(device.allow_insecure) === insecure) &&
    (status === undefined || device.status === status);
  return {
    ids: call.token.twin_ids,
    matching: isFiltered ? isWanted : undefined,
    orderBy: KEYS.find((key) => order.startsWith(key)),
    descending: order.endsWith('_desc'),
    start: (number - 1) * size,
    end: number * size,
  };
}

// All devices are on the same hub.
const KEYS = ['name', 'status', 'created_at', 'updated_at', 'allow_insecure'] as const;
const ORDERS = [...KEYS, 'hub_id'].flatMap((key) => [`${key}_asc`, `${key}_desc`]);
