/** MQTT packets worth mutating, by the device that sends them. */

import { MALFORMED, MALFORMED_CONNECTS, OTHER_PROTOCOLS } from '../server/mqtt/malformed.js';
import { bytesOf, connectPacket, publishPacket, subscribePacket } from '../server/mqtt/raw-client.js';
import { VICTIMS } from './prepare.js';

export interface MqttCorpus {
  /** Each is accepted. */
  readonly connects: readonly Buffer[];
  readonly packets: readonly Buffer[];
}

const HOSTILE = Object.values({ ...MALFORMED, ...MALFORMED_CONNECTS, ...OTHER_PROTOCOLS });

export const MQTT_CORPORA: readonly MqttCorpus[] = VICTIMS.map((victim) => {
  const own = `$SCW/twins/${victim.id}`;
  const will = { topic: `${own}/will/put`, payload: Buffer.from('{"data":{}}'), qos: 1, retain: false };
  const connects = [
    connectPacket(victim, { clientId: '' }),
    connectPacket(victim, { clientId: '', will }),
    connectPacket(victim, { clientId: 'same', will: { ...will, qos: 2 }, keepalive: 1 }),
  ].map(bytesOf);
  const packets = [
    subscribePacket('$SCW/twins/me/#', 2),
    subscribePacket(`${own}/+/changed`, 1),
    publishPacket('$SCW/twins/me/a/put', '{"data":{"x":1}}'),
    publishPacket('$SCW/twins/me/a/put', '{"data":{"x":1}}', { qos: 1, messageId: 1 }),
    publishPacket(`${own}/a/patch`, '{"data":{"x":[1,2]}}', { qos: 2, messageId: 2 }),
    publishPacket('$SCW/twins/me/a/get', ''),
    publishPacket('$SCW/twins/me/a/delete', ''),
    { cmd: 'pubrel' as const, messageId: 2 },
    { cmd: 'puback' as const, messageId: 1 },
    { cmd: 'pubrec' as const, messageId: 1 },
    { cmd: 'pubcomp' as const, messageId: 1 },
    { cmd: 'unsubscribe' as const, messageId: 3, unsubscriptions: ['$SCW/twins/me/#'] },
    { cmd: 'pingreq' as const },
    { cmd: 'disconnect' as const },
  ].map(bytesOf);
  return { connects, packets: [...connects, ...packets, ...packets, ...HOSTILE] };
});
