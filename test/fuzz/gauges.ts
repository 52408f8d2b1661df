import type { Server } from '../system/server.js';

/** What the server holds for its clients. */
const HELD = ['twin_mqtt_connections', 'twin_devices_connected', 'twin_event_streams', 'twin_waiting_writes'];
/** Its files come and go, and so do connections of the one that asks for this. */
const DESCRIPTORS = 'process_open_fds';
const FEW_DESCRIPTORS = 8;

export type Gauges = ReadonlyMap<string, number>;

/** What the server holds now, as it says itself. */
export async function gauges(server: Pick<Server, 'http' | 'token'>): Promise<Gauges> {
  const answer = await fetch(`${server.http}/metrics`, {
    headers: { 'X-Auth-Token': server.token, Connection: 'close' },
  });
  if (!answer.ok) throw new Error(`no metrics: ${answer.status}`);
  const lines = (await answer.text()).split('\n').map((line) => line.split(' '));
  return new Map(lines.map(([name = '', value]) => [name, Number(value)]));
}

/** What the server holds more than before, or undefined where it is nothing. */
export function leakBetween(before: Gauges, now: Gauges): string | undefined {
  const leaks = HELD.filter((name) => !((now.get(name) ?? Number.NaN) <= (before.get(name) ?? Number.NaN)));
  const descriptors = (now.get(DESCRIPTORS) ?? 0) - (before.get(DESCRIPTORS) ?? 0);
  if (descriptors > FEW_DESCRIPTORS) leaks.push(DESCRIPTORS);
  if (leaks.length === 0) return undefined;
  return leaks.map((name) => `${name} was ${before.get(name)}, is ${now.get(name)}`).join('; ');
}
