import type { Token } from '../access/tokens.js';
import { type Alert, titleOf } from '../alerts/alert.js';
import { AlertNotFound, type Alerts } from '../alerts/alerts.js';
import { parseSettings, shownSettings } from '../alerts/settings.js';
import { type Delivery, PAST_ALERTS } from '../alerts/store.js';
import type { Subscriptions } from '../alerts/subscriptions.js';
import type { Devices } from '../devices/devices.js';
import { InvalidRequest } from '../twins/errors.js';
import { intQuery, timeField } from './params.js';
import type { Router } from './router.js';
import { writerOf } from './twins.js';

const READ = { resource: 'alert', action: 'read' } as const;
const WRITE = { resource: 'alert', action: 'write' } as const;
const SUBSCRIBE = { resource: 'alert_subscription', action: 'write' } as const;
const READ_CHANNELS = { resource: 'alert_channel', action: 'read' } as const;
const WRITE_CHANNELS = { resource: 'alert_channel', action: 'write' } as const;

/** In milliseconds. */
const LONGEST_MUTE = 24 * 3_600_000;

/**
 * | call | result |
 * | --- | --- |
 * | `GET /alerts` | `{"alerts":[alert,…],"mutes":[…]}`, newest first; of the token's own panels; `?limit=` for the newest |
 * | `POST /alerts/{id}/acknowledge` | the alert |
 * | `PUT /alerts/mutes/{twin_id}` `{"until"}` | no alert of the panel is sent until then (RFC 3339), at most a day; 204 |
 * | `DELETE /alerts/mutes/{twin_id}` | what is muted and still open is sent now; 204 |
 * | `GET /alerts/channels` | the settings, without secrets |
 * | `PUT /alerts/channels` | the same; `(secret)` keeps a secret |
 * | `POST /alerts/channels/{id}/test` | sends a message by the channel; 204 |
 * | `GET /alerts/deliveries` | `{"deliveries":[…]}`, the last ones, newest first |
 * | `GET /alerts/push` | `{"application_server_key"}` for a phone; null while the owner has no channel of type `push` |
 * | `POST /alerts/subscriptions` `{"endpoint","keys":{"p256dh","auth"},"application_server_key"}` | `{"id"}`: the phone gets Web Push as long as its token is valid |
 * | `DELETE /alerts/subscriptions/{id}` | 204 |
 * | `POST /alerts/subscriptions/{id}/test` | sends a message to this phone; 204 |
 */
export function routeAlerts(
  router: Router,
  {
    alerts,
    subscriptions,
    devices,
  }: {
    readonly alerts: Alerts;
    readonly subscriptions: Subscriptions;
    readonly devices: Pick<Devices, 'get'>;
  },
): void {
  router.on('GET', '/alerts', READ, async (call) => {
    await alerts.read();
    const limit = intQuery(call, 'limit', PAST_ALERTS, 1, PAST_ALERTS);
    const list = alerts.list.filter(({ panel_id }) => isOwn(call.token, panel_id)).slice(0, limit);
    const mutes = alerts.mutes.filter(({ id }) => isOwn(call.token, id));
    call.sendObject({
      alerts: list.map(shown),
      mutes: mutes.map(({ id, ...mute }) => ({ panel_id: id, ...mute })),
    });
  });

  router.on('POST', '/alerts/:alert_id/acknowledge', WRITE, async (call) => {
    const id = call.id('alert_id');
    await alerts.read();
    const alert = alerts.list.find((each) => each.id === id && isOwn(call.token, each.panel_id));
    if (alert === undefined) throw new AlertNotFound(id);
    call.sendObject(shown(await alerts.acknowledge(id, writerOf(call.token), call)));
  });

  router.on('PUT', '/alerts/mutes/:twin_id', WRITE, async (call) => {
    const until = untilIn(await call.object(), alerts.now());
    const { id } = await devices.get(call.id('twin_id'));
    const mute = { id, until: until.toISOString(), by: writerOf(call.token) };
    await alerts.mute(mute, call);
    call.sendNothing();
  });

  router.on('DELETE', '/alerts/mutes/:twin_id', WRITE, async (call) => {
    const { id } = await devices.get(call.id('twin_id'));
    await alerts.unmute(id, call);
    call.sendNothing();
  });

  router.on('GET', '/alerts/channels', READ_CHANNELS, async (call) => {
    await alerts.read();
    call.sendObject(shownSettings(alerts.settings));
  });

  router.on('PUT', '/alerts/channels', WRITE_CHANNELS, async (call) => {
    const body = await call.object();
    const settings = await alerts.configure((before) => parseSettings(body, before));
    call.sendObject(shownSettings(settings));
  });

  router.on('POST', '/alerts/channels/:channel_id/test', WRITE_CHANNELS, async (call) => {
    await alerts.read();
    await alerts.test(call.param('channel_id'));
    call.sendNothing();
  });

  router.on('GET', '/alerts/push', READ, async (call) => {
    await alerts.read();
    const isOn = alerts.settings.channels.some(({ type }) => type === 'push');
    call.sendObject({ application_server_key: isOn ? (await subscriptions.key()).id : null });
  });

  router.on('POST', '/alerts/subscriptions', SUBSCRIBE, async (call) => {
    const { id } = await subscriptions.add(await call.object(), call.token, call);
    call.sendObject({ id });
  });

  router.on('DELETE', '/alerts/subscriptions/:subscription_id', SUBSCRIBE, async (call) => {
    await subscriptions.remove(call.param('subscription_id'), call.token, call);
    call.sendNothing();
  });

  router.on('POST', '/alerts/subscriptions/:subscription_id/test', SUBSCRIBE, async (call) => {
    await alerts.read();
    const { id } = await subscriptions.own(call.param('subscription_id'), call.token);
    const channel = alerts.settings.channels.find(({ type }) => type === 'push');
    await alerts.test(channel?.id ?? 'push', id);
    call.sendNothing();
  });

  router.on('GET', '/alerts/deliveries', READ_CHANNELS, async (call) => {
    await alerts.read();
    call.sendObject({ deliveries: alerts.deliveries.map(shownDelivery) });
  });
}

const isOwn = ({ twin_ids }: Token, panelId: string | null): boolean =>
  twin_ids === null || (panelId !== null && twin_ids.includes(panelId));

function shown(alert: Alert): object {
  const { recipients: _, ...others } = alert;
  return { ...others, title: titleOf(alert, 'raised') };
}

const shownDelivery = ({ id, channel, message, status, attempts, at, reason }: Delivery): object => ({
  id,
  channel,
  alert_id: message.alert.id,
  kind: message.alert.kind,
  panel: message.alert.panel,
  subject: message.alert.subject,
  telling: message.telling,
  count: message.count ?? 1,
  title: message.title,
  status,
  attempts,
  at,
  reason,
});

/** @param now milliseconds since 1970 */
function untilIn(body: Parameters<typeof timeField>[0], now: number): Date {
  const until = timeField(body, 'until');
  if (until === undefined) throw new InvalidRequest('until', 'required', 'is needed');
  const ms = until.getTime() - now;
  if (ms <= 0 || ms > LONGEST_MUTE)
    throw new InvalidRequest('until', 'constraint', 'not within the next 24 hours');
  return until;
}
