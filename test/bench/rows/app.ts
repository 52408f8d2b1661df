import { DEFAULTS } from '../../../firmware/config.js';
import { keepInDirectory } from '../../database-under-test.js';
import { openPhone, type Phone } from '../../system/app/phone.js';
import { launchBrowser, PHONE } from '../../system/app/scene.js';
import type { Bench } from '../bench.js';
import { steadyRounds } from '../disturbance.js';
import { coldFirstPaint, doorEdgeToPage, touchToArmed } from '../load/app-times.js';
import { type Panel, startPanel } from '../panel.js';
import { percentile, type Row } from '../row.js';
import { createDevices, startServer } from '../server.js';

keepInDirectory();

const UNIT = 'ms';
const LEAST_ALARMS = 10;
const ALARM_LIMIT = 150;
const PAINT_LIMIT = 1000;

interface Times {
  armed: number[];
  opened: number[];
}

/** What a person with a phone waits for: Chromium on the load's core, the app and a panel on desktop XS as they are. */
export const app: Row = {
  name: 'app',
  needs: ['chromium'],
  async run(bench) {
    const server = await startServer(bench);
    const [device] = await createDevices(server, 1);
    if (device === undefined) throw new Error('no device was made');
    const panel = await startPanel(bench, server, device);
    const browser = await launchBrowser();
    bench.atClose(() => browser.close());
    const url = `http://${server.http.address.host}:${server.http.address.port}`;
    const phone = await openPhone(browser, url, server.token, PHONE);
    await phone.seesState('Disarmed');
    const { results, repeats } = await steadyRounds(
      bench,
      async () => {
        const times = await alarms(bench, phone, panel);
        return {
          armed: percentile(times.armed, 0.99),
          opened: percentile(times.opened, 0.99),
          painted: await coldFirstPaint(browser, url, server.token),
        };
      },
      (figures) =>
        `p99 and paint: ${Object.values(figures)
          .map((figure) => `${figure.toFixed(0)} ${UNIT}`)
          .join(', ')}`,
    );
    const row = (name: string, what: string, of: keyof (typeof results)[number], limit: number) => ({
      row: name,
      what,
      unit: UNIT,
      server: results.map((each) => each[of]),
      bar: { relation: '<=', limit, on: 'server' } as const,
      repeats,
      notes: [],
    });
    return [
      row('app', 'touch in the phone app → it shows the panel armed, p99', 'armed', ALARM_LIMIT),
      row(
        'app-door',
        `door edge at the panel → the phone app rings, p99, with the debounce of ${DEFAULTS.debounce} ms`,
        'opened',
        ALARM_LIMIT,
      ),
      row('app-paint', 'first paint of the phone app, nothing kept, by slow 4G', 'painted', PAINT_LIMIT),
    ];
  },
};

async function alarms(bench: Bench, phone: Phone, panel: Panel): Promise<Times> {
  const times: Times = { armed: [], opened: [] };
  const end = performance.now() + 1000 * bench.options.seconds;
  while (performance.now() < end || times.armed.length < LEAST_ALARMS) {
    times.armed.push(await touchToArmed(phone));
    times.opened.push(await doorEdgeToPage(phone, () => panel.type('open')));
    await phone.touch('Disarm');
    await phone.seesState('Disarmed');
    panel.type('close');
    await phone.seesDoor('closed');
  }
  return times;
}
