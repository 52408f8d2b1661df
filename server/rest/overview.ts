import { CURRENT, DESIRED } from '../../shared/panel.js';
import type { Pins } from '../access/pins.js';
import type { Tokens } from '../access/tokens.js';
import type { Device } from '../devices/device.js';
import type { Devices } from '../devices/devices.js';
import type { Document } from '../twins/document.js';
import type { Twins } from '../twins/twins.js';
import { pageOf } from './params.js';
import type { Router } from './router.js';
import { shown } from './tokens.js';

/** The documents of an alarm panel. */
const OF_A_PANEL = [CURRENT, DESIRED];

/**
 * `GET /overview?page&page_size`: all that the app's first screen shows, in one answer, because on a slow network each
 * further one takes seconds: `{"token","total_count","panels":[{"device","documents":[…]},…]}`. The token is the one that
 * asks. Of the documents only `current` and `desired` are there. The page is one of the devices, oldest first.
 */
export function routeOverview(
  router: Router,
  {
    twins,
    devices,
    tokens,
    pins,
  }: { readonly twins: Twins; readonly devices: Devices; readonly tokens: Tokens; readonly pins: Pins },
): void {
  router.on('GET', '/overview', { resource: 'twin_document', action: 'read' }, async (call) => {
    const { number, size } = pageOf(call);
    const { devices: page, total } = await devices.list({
      ids: call.token.twin_ids,
      start: (number - 1) * size,
      end: number * size,
    });
    const panels = await Promise.all(page.map((device) => panelOf(twins, device)));
    const token = JSON.stringify(shown(call.token, tokens, pins));
    const json = `{"token":${token},"total_count":${total},"panels":[${panels.join(',')}]}`;
    call.send(200, json);
  });
}

async function panelOf(twins: Twins, device: Device): Promise<string> {
  const documents = await new Promise<Document[]>((done, failed) => {
    twins.all(device.id, (error, all) => (all === undefined ? failed(error) : done(all)));
  });
  const own = documents.filter(({ name }) => OF_A_PANEL.includes(name)).map(({ json }) => json);
  return `{"device":${JSON.stringify(device)},"documents":[${own.join(',')}]}`;
}
