/** The ESP32's board on the XS engine, with this machine in the place of the SDK's modules. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bundle } from '../../../firmware/desktop/bundle.js';
import type { DesktopPanel, DesktopPanelOptions } from '../../../firmware/desktop/desktop-panel.js';
import { until } from '../../until.js';
import { ScriptedServer } from './scripted-server.js';
import { Workbench } from './workbench.js';

interface Context {
  bench: Workbench;
  server: ScriptedServer;
  /** A panel on this board. */
  esp32: (options?: Partial<DesktopPanelOptions>) => Promise<DesktopPanel>;
}

const test = suite<Context>("the ESP32's board on XS");

/** As the SDK's: it tells of control packets by the message alone, and of a refusal by nothing but an error. */
const CLIENT = `
  import Client from 'firmware/desktop/modules/mqtt-client.js';
  export default class extends Client {
    constructor(options) {
      if (!('io' in options.dns && 'io' in options.socket)) throw new Error('no socket');
      super({
        ...options,
        onControl: (operation, message) =>
          message.returnCode > 0 ? options.onError() : options.onControl({ ...message, operation }),
      });
    }
  }
`;
const SOCKET = 'export default class {}';
/** Its one packet is the answer of this machine's time server, as an SNTP server words it. */
const UDP = `
  import { ask, listen } from 'firmware/desktop/modules/host.js';
  const FROM_1900 = 2208988800;
  export default class {
    #onReadable;
    #packet;
    constructor({ onReadable }) {
      this.#onReadable = onReadable;
    }
    write(request, address, port) {
      listen('sntp', ({ head }) => {
        const packet = new ArrayBuffer(48);
        new Uint8Array(packet).set([0x24, 1]);
        new Uint8Array(packet).set(new Uint8Array(request, 40, 8), 24);
        new DataView(packet).setUint32(40, head.seconds + FROM_1900);
        this.#packet = Object.assign(packet, { address, port });
        this.#onReadable(1);
      });
      ask('sntp', { id: port });
    }
    read() {
      const packet = this.#packet;
      this.#packet = undefined;
      return packet;
    }
    close() {}
  }
`;
/** As ESP-IDF numbers them: 1 is the power, 3 the program's own restart. */
const RESET_REASON = `
  import { ask } from 'firmware/desktop/modules/host.js';
  export default () => {
    const reason = ask('start').head.start.wanted ? 1 : 3;
    return { reason, string: reason === 1 ? 'Power-On' : 'Software' };
  };
`;
/** The arithmetic of TLS, which this test does without. */
const ARITHMETIC = 'export default class {}; export class Digest {}';
const MODULES = {
  crypt: ARITHMETIC,
  curve: ARITHMETIC,
  ecdsa: ARITHMETIC,
  ecp: ARITHMETIC,
  'embedded:network/mqtt/client': CLIENT,
  'embedded:io/socket/tcp': SOCKET,
  'embedded:io/socket/tcp/tls': SOCKET,
  'embedded:io/socket/udp': UDP,
  'embedded:io/serial': SOCKET,
  resetReason: RESET_REASON,
};
const PROGRAM = `
  import { ask } from 'firmware/desktop/modules/host.js';
  import { start } from 'firmware/start.js';
  globalThis.System = { restart: () => ask('restart'), resolve: (name, done) => Promise.resolve().then(() => done(name, '127.0.0.1')) };
  globalThis.trace = (text) => ask('trace', { line: text.trimEnd() });
  import('firmware/boards/esp32.js').then(({ board }) => start(board));
`;
/** The pins by the names that this machine has for them. */
const CONFIG = { doorPin: 'contact 0', sirenPin: 'siren', ledPin: 'led', ssid: 'home', passphrase: 'secret' };

let program: Promise<Bundle> | undefined;

test.before.each(async (context) => {
  const bench = new Workbench();
  const server = await ScriptedServer.listen();
  Object.assign(context, { bench, server });
  context.esp32 = async (options = {}) => {
    program ??= bench.program(PROGRAM, MODULES);
    return bench.panel({
      server: server.url,
      program: await program,
      ...options,
      config: { ...CONFIG, ...options.config },
    });
  };
});
test.after.each(async ({ bench, server }) => {
  bench.end();
  await server.close();
});

const rings = (panel: DesktopPanel): Promise<unknown> => panel.until(({ sirenRinging }) => sirenRinging);

test('it reports itself, is armed, rings, is disarmed and falls silent', async ({ bench, server, esp32 }) => {
  const panel = await esp32();
  await bench.traced('wifi: online as 127.0.0.1');
  await until(() => server.reports.length > 0);
  assert.equal(server.reports[0]?.data.alarm_armed, false);
  server.desire(true);
  await until(() => panel.led);
  panel.openDoor();
  await rings(panel);
  server.desire(false);
  await panel.until(({ sirenRinging }) => !sirenRinging);
  await until(() => server.reports.at(-1)?.data.siren_ringing === false);
});

test('it keeps in flash that it is armed, and rings after a power cut without a network', async ({
  server,
  esp32,
}) => {
  server.armed = true;
  const panel = await esp32();
  await until(() => server.reports.some(({ data }) => data.alarm_armed === true));
  panel.powerOff();
  panel.networkOff();
  panel.openDoor();
  panel.powerOn();
  await rings(panel);
});

test('it stamps its reports with the time that its server told by SNTP', async ({ server, esp32 }) => {
  await esp32();
  await until(() => server.reports.some(({ data }) => data.last_update !== undefined));
});

test('it comes back when its address was lost', async ({ server, esp32 }) => {
  const panel = await esp32({ config: { wifiInterval: 20, wifiPatience: 60 } });
  await until(() => server.reports.length > 0);
  panel.dhcpOff();
  await until(() => server.sessions[0]?.socket.destroyed === true);
  panel.dhcpOn();
  await server.session(1, 'publish');
});

test('it says why it starts, and after five restarts in a row it does without the network', async ({
  bench,
  esp32,
}) => {
  const breaking = PROGRAM.replace(
    'start(board)',
    "start({ ...board, network() { throw new Error('broken'); } })",
  );
  await esp32({ program: await bench.program(breaking, MODULES) });
  await bench.traced('start: Power-On (1)', 1);
  await bench.traced('start: Software (3)', 5);
  await bench.traced('too many restarts: offline for a while');
});

test('an exception restarts it', async ({ bench, esp32 }) => {
  const breaking = PROGRAM.replace(
    'start(board)',
    "start({ ...board, show() { throw new Error('broken'); } })",
  );
  await esp32({ program: await bench.program(breaking, MODULES) });
  await bench.traced('restart after an exception: Error: broken', 2);
});

test.run();
