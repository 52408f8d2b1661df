/** What stands for the SDK's modules and globals on this machine, for the boards that run on the SDK. */

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
/** By their specifiers. */
export const ESP32_MODULES = {
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

/** What the SDK has besides the language. */
export const SDK_GLOBALS = `
  import { ask } from 'firmware/desktop/modules/host.js';
  globalThis.System = {
    restart: () => ask('restart'),
    resolve: (name, done) => Promise.resolve().then(() => done(name, '127.0.0.1')),
  };
  globalThis.trace = (text) => ask('trace', { line: text.trimEnd() });
`;

/** The pins by the names that this machine has for them. */
export const ESP32_PINS = { doorPin: 'contact 0', sirenPin: 'siren', ledPin: 'led', beeperPin: 'beeper' };

/** Its button is the first contact of this machine, pressed while that is open. */
export const SIMULATOR_GLOBALS = `
  ${SDK_GLOBALS}
  import Digital from 'embedded:io/digital';
  const led = (pin) => class { constructor() { return new Digital({ pin, initialValue: 0 }); } };
  const buttonOf = ({ onPush }) => new Digital({ pin: 'contact 0', onReadable: onPush });
  globalThis.Host = { Button: { Default: function (options) { return buttonOf(options); } }, LED: { A: led('siren'), B: led('led') } };
  globalThis.screen = { postMessage: () => ask('restart') };
`;
/** Files that the flash of this machine keeps. */
const FILE = `
  import { ask } from 'firmware/desktop/modules/host.js';
  const read = (path) => ask('flash.read', { key: path });
  export class File {
    #path;
    constructor(path) { this.#path = path; }
    static exists(path) { const { head, bytes } = read(path); return head.found && bytes.length > 0; }
    static delete(path) { ask('flash.write', { key: path }, new Uint8Array(0)); }
    read() { return read(this.#path).bytes.buffer; }
    write(buffer) { ask('flash.write', { key: this.#path }, new Uint8Array(buffer)); }
    close() {}
  }
`;
export const SIMULATOR_MODULES = { ...ESP32_MODULES, file: FILE };
