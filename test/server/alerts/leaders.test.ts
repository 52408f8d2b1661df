/** Alerts on several servers with one storage: one of them tells, all of them show, and another goes on. */

import { createECDH, randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Token } from '../../../server/access/tokens.js';
import { ESCALATION } from '../../../server/alerts/life.js';
import { OUTBOX_LIMITS } from '../../../server/alerts/outbox.js';
import { type AlertSettings, parseSettings } from '../../../server/alerts/settings.js';
import { SUBSCRIPTION_LIMITS } from '../../../server/alerts/subscriptions.js';
import { AUTH_BYTES } from '../../../server/alerts/web-push.js';
import { putDocument } from '../../../server/storage/storage.js';
import { until } from '../../until.js';
import { startReceiver } from './receiver.js';
import { handOver, type Node, ringing, type Servers, startServers, titles } from './two-servers.js';

interface Context {
  servers: Servers;
  one: Node;
  other: Node;
}

const test = suite<Context>('alerts on several servers');

test.before.each(async (context) => {
  context.servers = await startServers();
  context.one = await context.servers.join();
  context.other = await context.servers.join();
  context.one.leadership.lead(true);
});
test.after.each(({ servers }) => servers.close());

const idOf = async ({ alerts }: Node): Promise<string> => {
  await alerts.read();
  return alerts.list[0]?.id ?? '';
};

/** The one that leads looks at what is due, because a contact has tripped. Resolves when that is sent. */
async function lookAgain({ servers, one, other }: Context, id: string, contacts: string[]): Promise<void> {
  const before = titles(servers).length;
  await other.report(id, ringing(...contacts));
  await until(() =>
    titles(servers)
      .slice(before)
      .includes(`Alarm: Cabin, ${contacts.at(-1)}`),
  );
  const leader = one.leadership.leads() ? one : other;
  await leader.alerts.prove();
  await until(() => leader.alerts.deliveries.every(({ status }) => status !== 'waiting'));
}

test('one server tells an alarm that any server hears of, and each shows it', async (context) => {
  const { servers, one, other } = context;
  const id = await servers.panel('Cabin');
  await other.report(id, ringing('window'));
  await servers.receiver.count(1);
  await other.report(id, {});
  await servers.receiver.count(2);
  assert.equal(titles(servers), ['Alarm: Cabin, window', 'Over: Alarm: Cabin, window']);
  for (const { alerts } of [one, other]) {
    await alerts.read();
    assert.equal(
      alerts.list.map(({ state }) => state),
      ['resolved'],
    );
    assert.is(alerts.deliveries.length, 2);
  }
});

test('an acknowledgement at a server that does not lead ends the repeats', async (context) => {
  const { servers, other } = context;
  const id = await servers.panel('Cabin');
  await other.report(id, ringing('window'));
  await servers.receiver.count(1);
  servers.pass(ESCALATION.repeatMs + 1000);
  await lookAgain(context, id, ['window', 'door']);
  assert.is(titles(servers).filter((title) => title === 'Alarm: Cabin, window').length, 2);
  for (const { id: alert } of other.alerts.list) await other.alerts.acknowledge(alert, 'Anna');
  servers.pass(ESCALATION.repeatMs + 1000);
  const before = titles(servers).length;
  await lookAgain(context, id, ['window', 'door', 'cellar']);
  assert.equal(titles(servers).slice(before), ['Alarm: Cabin, cellar']);
});

test('an acknowledgement of an alert that has ended meanwhile changes nothing', async (context) => {
  const { servers, one, other } = context;
  const id = await servers.panel('Cabin');
  await one.report(id, ringing('window'));
  await servers.receiver.count(1);
  const alert = await idOf(other);
  await one.report(id, {});
  await servers.receiver.count(2);
  assert.is((await other.alerts.acknowledge(alert, 'Anna')).state, 'resolved');
});

test('a mute at a server that does not lead holds an alarm back, and its end there tells it', async (context) => {
  const { servers, one, other } = context;
  const id = await servers.panel('Cabin');
  const mute = { id, until: new Date(Date.now() + 3_600_000).toISOString(), by: 'Anna' };
  await other.alerts.mute(mute);
  await until(() => one.alerts.mutes.length === 1);
  await one.report(id, ringing('window'));
  await until(() => one.alerts.list.length === 1);
  await one.alerts.prove();
  assert.equal(titles(servers), []);
  await other.alerts.unmute(id);
  await servers.receiver.count(1);
  assert.equal(titles(servers), ['Alarm: Cabin, window']);
});

test('a test at a server that does not lead is sent by the one that does', async ({ servers, other }) => {
  await other.alerts.test('hook');
  await servers.receiver.count(1);
  assert.is(servers.receiver.received.length, 1);
});

test('channels that are changed at a server that does not lead count at the one that does', async (context) => {
  const { servers, one, other } = context;
  const second = await startReceiver();
  await other.alerts.configure((before) =>
    parseSettings({ channels: [{ ...before.channels[0], url: second.url }] } as never),
  );
  await until(() => JSON.stringify(one.alerts.settings) === JSON.stringify(other.alerts.settings));
  await one.report(await servers.panel('Cabin'), ringing('window'));
  await second.count(1);
  assert.equal(titles(servers), []);
  await second.close();
});

test('the next leader tells what panels have reported while no server led, also disarmed panels', async (context) => {
  const { servers, one, other } = context;
  const id = await servers.panel('Cabin');
  one.leadership.lead(false);
  const contacts = { smoke: { open: true, kind: 'always' } };
  const last_alarm = { contacts: ['smoke'] };
  await one.report(id, { siren_ringing: true, contacts, last_alarm });
  other.leadership.lead(true);
  await servers.receiver.count(1);
  assert.equal(titles(servers), ['Alarm: Cabin, smoke']);
});

test('what was deleted while no server led has no alerts', async (context) => {
  const { servers, one, other } = context;
  const id = await servers.panel('Cabin');
  await one.report(id, ringing('window'));
  await servers.receiver.count(1);
  one.leadership.lead(false);
  await one.devices.remove(id);
  other.leadership.lead(true);
  await until(() => other.alerts.list.length === 0);
});

test('a lost panel stays lost when another server leads, and causes one message', async (context) => {
  const { servers, one, other } = context;
  const id = await servers.panel('Cabin');
  await one.report(id, { alarm_armed: true });
  for (const { devices } of [one, other]) await devices.presence.disconnected(id);
  await servers.receiver.count(1);
  await until(() => other.alerts.deliveries.every(({ status }) => status === 'delivered'));
  handOver(one, other);
  await other.report(await servers.panel('Barn'), ringing('window'));
  await servers.receiver.count(2);
  await other.alerts.prove();
  assert.equal(titles(servers), ['No contact with Cabin, which is armed', 'Alarm: Barn, window']);
});

/** A channel in each group. */
const inGroups = (...urls: string[]): AlertSettings =>
  parseSettings({
    channels: urls.map((url, n) => ({
      id: `c${n}`,
      type: 'webhook',
      url,
      group: n + 1,
      allow_private: true,
    })),
  });

/** Brings an alarm of the panel into a state, in which another server takes over. */
const STATES: Readonly<Record<string, (context: Context, id: string) => Promise<void>>> = {
  raised: async ({ servers, one }, id) => {
    await one.report(id, ringing('window'));
    await servers.receiver.count(1);
  },
  'raised and not sent': async ({ one }, id) => {
    await one.report(id, ringing('window'));
    await until(() => one.alerts.list.length === 1);
  },
  repeated: async (context, id) => {
    const { servers, one } = context;
    await one.report(id, ringing('window'));
    await servers.receiver.count(1);
    servers.pass(ESCALATION.repeatMs + 1000);
    await lookAgain(context, id, ['window', 'door']);
  },
  'held up': async ({ servers, one }, id) => {
    servers.receiver.replies.push(...Array(OUTBOX_LIMITS.heldUpAfter).fill({ status: 500 }));
    await one.report(id, ringing('window'));
    await until(() => one.alerts.deliveries[0]?.is_held_up === true);
  },
  acknowledged: async ({ servers, one, other }, id) => {
    await one.report(id, ringing('window'));
    await servers.receiver.count(1);
    await other.alerts.acknowledge(await idOf(other), 'Anna');
  },
  'over and not sent': async ({ servers, one }, id) => {
    await one.report(id, ringing('window'));
    await servers.receiver.count(1);
    await one.report(id, {});
    await until(() => one.alerts.list[0]?.state === 'resolved');
  },
};

for (const [state, bring] of Object.entries(STATES)) {
  test(`an alarm that is ${state} goes on at the next leader, and no message arrives twice`, async (context) => {
    const { servers, one, other } = context;
    const id = await servers.panel('Cabin');
    await bring(context, id);
    handOver(one, other);
    await other.report(id, {});
    // An alarm that ends before it was sent is sent as one that has happened, and not as over.
    await until(() =>
      other.alerts.list.every((alert) => alert.state === 'resolved' && alert.tell_at === null),
    );
    await until(() => other.alerts.deliveries.every(({ status }) => status === 'delivered'));
    await other.alerts.prove();
    assert.ok(titles(servers).includes('Alarm: Cabin, window'));
    const over = titles(servers).filter((title) => title === 'Over: Alarm: Cabin, window').length;
    assert.ok(over === 1 || (over === 0 && state === 'raised and not sent'), `${over} times over`);
    const refused = state === 'held up' ? OUTBOX_LIMITS.heldUpAfter : 0;
    assert.is(servers.receiver.received.length - refused, other.alerts.deliveries.length);
  });
}

test('an alarm that escalates goes to the next group once, also when another server leads meanwhile', async (context) => {
  const { servers, one, other } = context;
  const second = await startReceiver();
  await one.alerts.configure(() => inGroups(servers.receiver.url, second.url));
  servers.receiver.replies.push({ status: 403 });
  const id = await servers.panel('Cabin');
  await one.report(id, ringing('window'));
  await second.count(1);
  await until(() => other.alerts.deliveries.filter(({ status }) => status === 'delivered').length === 2);
  handOver(one, other);
  await other.report(id, {});
  await second.count(2);
  await until(() => other.alerts.deliveries.every(({ status }) => status !== 'waiting'));
  assert.equal(
    second.received.map(({ body }) => JSON.parse(body).title),
    ['Alarm: Cabin, window', 'Over: Alarm: Cabin, window'],
  );
  await second.close();
});

test('a failure that the last leader has noted escalates at the next one', async (context) => {
  const { servers, one, other } = context;
  const second = await startReceiver();
  await one.alerts.configure(() => inGroups(servers.receiver.url, second.url));
  servers.receiver.replies.push('hang');
  await one.report(await servers.panel('Cabin'), ringing('window'));
  await servers.receiver.count(1);
  handOver(one, other);
  const [delivery] = one.alerts.deliveries;
  assert.ok(delivery);
  const failed = { ...delivery, status: 'failed', reason: 'status 403' };
  await putDocument(one.storage, 'alerts/deliveries', delivery.id, JSON.stringify(failed));
  await second.count(1);
  await second.close();
});

test('while the leadership goes round, each message of forty alarms arrives once', async (context) => {
  const { servers, one, other } = context;
  const third = await servers.join();
  const nodes = [one, other, third];
  const id = await servers.panel('Cabin');
  const contacts: string[] = [];
  let leader = one;
  for (let n = 0; n < 40; n++) {
    contacts.push(`contact ${n}`);
    await (nodes[n % 3] as Node).report(id, ringing(...contacts));
    for (let turns = Math.random() * 20; turns > 0; turns--) await new Promise(setImmediate);
    const next = nodes[Math.floor(Math.random() * 3)] as Node;
    if (next !== leader) handOver(leader, next);
    leader = next;
  }
  const wanted = contacts.map((contact) => `Alarm: Cabin, ${contact}`).sort();
  await until(() => titles(servers).length >= wanted.length);
  await until(() => leader.alerts.deliveries.every(({ status }) => status === 'delivered'));
  assert.equal(titles(servers).sort(), wanted);
});

test('of what two servers raise at the same moment there is one alert and one message', async (context) => {
  const { servers, one, other } = context;
  const id = await servers.panel('Cabin');
  other.leadership.lead(true);
  for (let n = 0; n < 20; n++) {
    await one.report(id, ringing(`contact ${n}`));
    await servers.receiver.count(2 * n + 1);
    await one.report(id, {});
    await servers.receiver.count(2 * n + 2);
  }
  await until(() => one.alerts.deliveries.every(({ status }) => status === 'delivered'));
  assert.is(titles(servers).length, 40);
});

test('the next leader tells each alarm of the leaders that are killed', async () => {
  const servers = await startServers({ inDoubtMs: 100 });
  let leader = await servers.join();
  const id = await servers.panel('Cabin');
  leader.leadership.lead(true);
  const contacts: string[] = [];
  for (let n = 0; n < 12; n++) {
    const next = await servers.join();
    contacts.push(`contact ${n}`);
    await next.report(id, ringing(...contacts));
    for (let turns = Math.random() * 40; turns > 0; turns--) await new Promise(setImmediate);
    leader.storage.kill();
    next.leadership.lead(true);
    leader = next;
  }
  await until(() => contacts.every((contact) => titles(servers).includes(`Alarm: Cabin, ${contact}`)));
  await servers.close();
});

test('a leader that was stopped for a while raises nothing after another one has begun', async (context) => {
  const { servers, one, other } = context;
  const id = await servers.panel('Cabin');
  other.leadership.lead(true);
  // It has not heard that it leads no more.
  one.leadership.leads = () => false;
  await one.report(id, ringing('window'));
  await servers.receiver.count(1);
  await until(() => other.alerts.deliveries.every(({ status }) => status === 'delivered'));
  one.leadership.lead(false);
  await one.alerts.prove();
  await other.alerts.read();
  assert.is(other.alerts.list.length, 1);
  assert.equal(titles(servers), ['Alarm: Cabin, window']);
});

test('a leader that was in doubt and still leads raises what was reported meanwhile', async ({
  servers,
  one,
}) => {
  const id = await servers.panel('Cabin');
  await one.alerts.prove();
  let doubts = 3;
  one.leadership.leads = () => {
    doubts -= 1;
    return doubts < 0;
  };
  await one.report(id, ringing('window'));
  await servers.receiver.count(1);
  assert.equal(titles(servers), ['Alarm: Cabin, window']);
});

test('two servers that make the key of Web Push at the same time have the same', async ({ one, other }) => {
  const [key, otherKey] = await Promise.all([one.subscriptions.key(), other.subscriptions.key()]);
  assert.equal(key, otherKey);
});

test('two servers that add phones of one token at the same time keep to its limit', async ({
  one,
  other,
}) => {
  const application_server_key = (await one.subscriptions.key()).id;
  const phone = createECDH('prime256v1');
  const keys = {
    p256dh: phone.generateKeys().toString('base64url'),
    auth: randomBytes(AUTH_BYTES).toString('base64url'),
  };
  const token = { id: 'anna' } as Token;
  const attempts = Array.from({ length: SUBSCRIPTION_LIMITS.perToken + 6 }, (_, n) => {
    const { subscriptions } = n % 2 === 0 ? one : other;
    const body = { endpoint: `https://push.example.org/${n}`, keys, application_server_key };
    return subscriptions.add(body, token, { judge: () => undefined });
  });
  const outcomes = await Promise.allSettled(attempts);
  const added = outcomes.filter(({ status }) => status === 'fulfilled');
  assert.is(added.length, SUBSCRIPTION_LIMITS.perToken);
});

test.run();
