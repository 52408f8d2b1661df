/** The alerts of panels that report to a twin core in this process, told by a webhook. */

import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Tokens } from '../../../server/access/tokens.js';
import type { Alerts } from '../../../server/alerts/alerts.js';
import { CLOCK, type Clock } from '../../../server/alerts/clock.js';
import { openAlerts } from '../../../server/alerts/open.js';
import { type AlertSettings, parseSettings } from '../../../server/alerts/settings.js';
import { openSettingsDocument } from '../../../server/alerts/settings-document.js';
import type { ALERT_LIMITS } from '../../../server/alerts/term.js';
import { Devices } from '../../../server/devices/devices.js';
import { alone } from '../../../server/leadership.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { Twins } from '../../../server/twins/twins.js';
import type { JsonObject } from '../../../shared/document.js';
import { until } from '../../until.js';
import { certify } from '../devices/certify.js';
import { type Receiver, startReceiver } from './receiver.js';

interface Context {
  receiver: Receiver;
  storage: MemoryStorage;
  twins: Twins;
  devices: Devices;
  alerts: Alerts;
  /** Those of killed servers too. */
  begun: Alerts[];
  /** Begins anew on the same storage, as a server that was restarted does. */
  restart(limits?: Partial<typeof ALERT_LIMITS>, clock?: Clock): Promise<void>;
  panel(name: string): Promise<string>;
}

const test = suite<Context>('alerts');

const PLAIN = { alarm_armed: false, siren_ringing: false, door_open: false };

const settingsFor = (url: string, more: JsonObject = {}): AlertSettings =>
  parseSettings({ channels: [{ id: 'hook', type: 'webhook', url, allow_private: true }], ...more });

test.before.each(async (context) => {
  context.receiver = await startReceiver();
  context.storage = memoryStorage();
  context.begun = [];
  context.restart = async (limits = { graceMs: 0 }, clock = CLOCK) => {
    const { storage, receiver } = context;
    context.twins = new Twins(storage);
    context.devices = new Devices(storage, context.twins, { region: 'r', hubId: 'h', certify });
    const log = pino({ level: 'silent' });
    const settings = await openSettingsDocument(storage, log);
    await settings.change(() => settingsFor(receiver.url, { rules: { unreachable_after: 0 } }));
    const opened = await openAlerts({
      storage,
      settings,
      leadership: alone,
      twins: context.twins,
      devices: context.devices,
      tokens: await Tokens.open(storage),
      linkOf: (id) => `https://house/#panel=${id}`,
      log,
      limits,
      clock,
    });
    context.alerts = opened.alerts;
    context.begun.push(opened.alerts);
    context.alerts.begin();
  };
  await context.restart();
  context.panel = async (name) => {
    const { device } = await context.devices.create({ name });
    context.devices.presence.connected(device.id);
    return device.id;
  };
});
test.after.each(async ({ begun, receiver, devices }) => {
  for (const alerts of begun) await alerts.close();
  await devices.presence.close();
  await receiver.close();
});

/** The panel reports this, besides what a quiet panel says. */
const report = ({ twins }: Context, id: string, said: object): Promise<void> =>
  new Promise((done, failed) =>
    twins.put(id, 'current', { version: 0, data: { ...PLAIN, ...said } as JsonObject }, (error) =>
      error === null ? done() : failed(error),
    ),
  );

const ringing = (...contacts: string[]) => ({
  alarm_armed: true,
  siren_ringing: true,
  last_alarm: { contacts },
});

const titles = ({ receiver }: Context): string[] =>
  receiver.received.map(({ body }) => JSON.parse(body).title as string);

test('an alarm is sent once, with its panel and contact, and then that it is over', async (context) => {
  const id = await context.panel('Cabin');
  await report(context, id, ringing('window'));
  await context.receiver.count(1);
  await report(context, id, ringing('window'));
  await report(context, id, { last_alarm: { contacts: ['window'] } });
  await context.receiver.count(2);
  assert.equal(titles(context), ['Alarm: Cabin, window', 'Over: Alarm: Cabin, window']);
  const [first] = context.receiver.received;
  const body = JSON.parse(first?.body ?? '');
  assert.equal([body.kind, body.panel_id, body.link], ['triggered', id, `https://house/#panel=${id}`]);
});

test('each contact that trips is sent, and each is over once', async (context) => {
  const id = await context.panel('Cabin');
  await report(context, id, ringing('window'));
  await context.receiver.count(1);
  await report(context, id, ringing('window', 'door'));
  await context.receiver.count(2);
  await report(context, id, {});
  await context.receiver.count(4);
  assert.equal(titles(context).slice(0, 2), ['Alarm: Cabin, window', 'Alarm: Cabin, door']);
  assert.equal(titles(context).slice(2).sort(), ['Over: Alarm: Cabin, door', 'Over: Alarm: Cabin, window']);
});

test('an armed panel that is lost is sent, and that it is back when it has reported', async (context) => {
  const id = await context.panel('Cabin');
  await report(context, id, { alarm_armed: true });
  await context.devices.presence.disconnected(id);
  await context.receiver.count(1);
  context.devices.presence.connected(id);
  await report(context, id, { alarm_armed: true });
  await context.receiver.count(2);
  const lost = 'No contact with Cabin, which is armed';
  assert.equal(titles(context), [lost, `Over: ${lost}`]);
});

test('many panels that are lost at once are sent in one message', async (context) => {
  const ids: string[] = [];
  for (let n = 0; n < 1000; n++) ids.push(await context.panel(`P${n}`));
  for (const id of ids) await report(context, id, { alarm_armed: true });
  await until(() => context.storage.stored('alerts/armed').size === 1000);
  await context.alerts.close();
  await context.restart({ graceMs: 50 });
  await context.receiver.count(2);
  await until(() => context.alerts.list.every(({ told }) => told === 1));
  const [first = '', second = ''] = titles(context).sort();
  assert.match(first, /^No contact with 1000 armed panels$/);
  assert.match(second, /^The alarm server has restarted while 1000 panels were armed$/);
});

test('within the grace after a start, a panel that comes back is sent as nothing but the restart', async (context) => {
  const id = await context.panel('Cabin');
  await report(context, id, { alarm_armed: true });
  await until(() => context.storage.stored('alerts/armed').size === 1);
  await context.alerts.close();
  await context.restart({ graceMs: 60_000 });
  await context.receiver.count(1);
  context.devices.presence.connected(id);
  await report(context, id, { alarm_armed: true });
  await context.receiver.count(2);
  const restarted = 'The alarm server has restarted while a panel was armed';
  assert.equal(titles(context), [restarted, `Over: ${restarted}`]);
});

test('what was raised and not told by a killed server is sent by the next one, with the same id', async (context) => {
  const id = await context.panel('Cabin');
  context.receiver.replies.push('cut');
  await report(context, id, ringing('window'));
  await context.receiver.count(1);
  await context.restart({ graceMs: 60_000 });
  assert.is(context.alerts.list.filter(({ kind }) => kind === 'triggered').length, 1);
  assert.is(context.alerts.deliveries.length, 1);
});

test('an arming is sent with the name of its writer where the owner wants that', async (context) => {
  const { alerts, receiver, twins } = context;
  await alerts.configure(() => settingsFor(receiver.url, { rules: { kinds: ['armed', 'disarmed'] } }));
  const id = await context.panel('Cabin');
  await report(context, id, {});
  await new Promise((done) => {
    const request = { version: 0, data: { alarm_armed: true }, by: 'Anna' };
    twins.put(id, 'desired', request, done);
  });
  await report(context, id, { alarm_armed: true });
  await receiver.count(1);
  assert.equal(titles(context), ['Cabin was armed by Anna']);
});

test('a panel can have rules of its own', async (context) => {
  const { alerts, receiver } = context;
  const [quiet, loud] = [await context.panel('Quiet'), await context.panel('Loud')];
  await alerts.configure(() => settingsFor(receiver.url, { panels: { [quiet]: { kinds: [] } } }));
  await report(context, quiet, ringing('a'));
  await report(context, loud, ringing('b'));
  await receiver.count(1);
  assert.equal(titles(context), ['Alarm: Loud, b']);
  assert.equal(
    alerts.list.map(({ panel }) => panel),
    ['Loud'],
  );
});

test('a muted panel tells an alarm of a contact that counts day and night, and no other', async (context) => {
  const id = await context.panel('Cabin');
  const mute = { id, until: new Date(Date.now() + 3_600_000).toISOString(), by: 'Anna' };
  await context.alerts.mute(mute);
  const contacts = { smoke: { open: true, kind: 'always' }, door: { open: true, kind: 'entry' } };
  await report(context, id, { ...ringing('door', 'smoke'), contacts });
  await context.receiver.count(1);
  assert.equal(titles(context), ['Alarm: Cabin, smoke']);
  await context.alerts.unmute(id);
  await context.receiver.count(2);
  assert.is(titles(context)[1], 'Alarm: Cabin, door');
});

test('the alerts of a deleted device are removed with it', async (context) => {
  const id = await context.panel('Cabin');
  await report(context, id, ringing('window'));
  await context.receiver.count(1);
  await context.devices.presence.disconnected(id);
  await context.devices.remove(id);
  await until(() => context.alerts.list.length === 0);
});

test('an alarm goes to the next group at once when the first one fails for good', async (context) => {
  const second = await startReceiver();
  const channel = (id: string, url: string, group: number) => ({
    id,
    url,
    group,
    type: 'webhook',
    allow_private: true,
  });
  const channels = [channel('a', context.receiver.url, 1), channel('b', second.url, 2)];
  await context.alerts.configure(() => parseSettings({ channels }));
  context.receiver.replies.push({ status: 403 });
  await report(context, await context.panel('Cabin'), ringing('window'));
  await second.count(1);
  assert.is(JSON.parse(second.received[0]?.body ?? '').title, 'Alarm: Cabin, window');
  await second.close();
});

test('when the disk takes no writes, a lost panel and the disk are sent all the same', async (context) => {
  const id = await context.panel('Cabin');
  await report(context, id, { alarm_armed: true });
  await until(() => context.storage.stored('alerts/armed').size === 1);
  context.storage.failWith(new Error('the disk is full'));
  context.devices.presence.disconnected(id)?.catch?.(() => undefined);
  await context.receiver.count(1);
  assert.equal(titles(context), ['No contact with Cabin, which is armed']);
  context.storage.failWith(undefined);
});

// Case 13.
test('a mute lasts as long as the owner wanted, also when the clock is set meanwhile', async (context) => {
  let step = 0;
  await context.alerts.close();
  await context.restart({ graceMs: 0 }, { now: () => Date.now() + step, elapsed: () => performance.now() });
  const id = await context.panel('Cabin');
  await context.alerts.mute({ id, until: new Date(Date.now() + 600_000).toISOString(), by: 'Anna' });
  for (step of [3_600_000, -3_600_000]) {
    assert.equal(
      context.alerts.mutes.map((mute) => mute.id),
      [id],
    );
  }
  await report(context, id, ringing('window'));
  await until(() => context.alerts.list.length === 1);
  await context.alerts.prove();
  assert.equal(context.receiver.received, []);
});

test('without a channel nothing is raised', async (context) => {
  await context.alerts.configure(() => parseSettings({}));
  const id = await context.panel('Cabin');
  await report(context, id, ringing('window'));
  await context.alerts.close();
  assert.equal([context.alerts.list, context.receiver.received], [[], []]);
});

test.run();
