/**
 * A panel on desktop XS. Its door is opened while it is armed, again and again. Reads a {@link SirenJob} from standard
 * input, and prints how long the siren took each time, in milliseconds.
 */

import { text } from 'node:stream/consumers';
import { startPanel } from '../../../firmware/desktop/desktop-panel.js';
import { arm } from '../panel.js';
import type { SirenJob } from './job.js';

const LEAST_OPENINGS = 10;

const { http, mqtt, token, device, flash, seconds }: SirenJob = JSON.parse(await text(process.stdin));
const server = { http: { address: http }, token };
let rings = (): void => undefined;

const panel = await startPanel({
  server: `mqtt://${mqtt.host}:${mqtt.port}`,
  device: device.id,
  password: device.password,
  flash,
  onOutput: (pin, level) => {
    if (pin === 'siren' && level === 1) rings();
  },
});
await panel.until(({ online }) => online);

const times: number[] = [];
const end = performance.now() + 1000 * seconds;
while (performance.now() < end || times.length < LEAST_OPENINGS) {
  await Promise.all([panel.until(({ armed }) => armed), arm(server, device, true)]);
  const rang = new Promise<void>((resolve) => {
    rings = resolve;
  });
  const began = performance.now();
  panel.openDoor();
  await rang;
  times.push(performance.now() - began);
  await Promise.all([panel.until(({ sirenRinging }) => !sirenRinging), arm(server, device, false)]);
  panel.closeDoor();
  await panel.settled();
}
panel.stop();
console.log(JSON.stringify(times));
