import { bytecodeOf, sumsOf } from '../../firmware/size/bytecode.js';
import { build } from '../../firmware/size/engine.js';
import { type Heap, measureHeap, total } from '../../firmware/size/heap.js';
import { BYTECODE_LIMIT, HEAP_LIMIT, PROOF_LIMIT } from '../../firmware/size/limits.js';
import { findToolchain } from '../../firmware/size/toolchain.js';
import { type Row, thousands } from '../row.js';

const KIB = 1024;
const EVENTS = 100_000;
const MANIFEST = 'manifests/esp32.json';
const CAVEAT = 'without what the SDK itself takes: its MQTT client, TLS, sockets';

const inKib = ({ slots, chunks }: Heap): string =>
  `${(slots / KIB).toFixed(1)} KiB of slots, ${(chunks / KIB).toFixed(1)} KiB of chunks`;

/** Of the panel itself, on XS built with 32 bits as it is on an ESP32. */
export const firmware: Row = {
  name: 'firmware',
  needs: ['gcc', 'make'],
  async run(bench) {
    const toolchain = findToolchain();
    if ('missing' in toolchain) throw new Error(`needs ${toolchain.missing}`);
    bench.progress('building XS with 32 bits, where it is not there yet');
    const engine = build(toolchain);
    const sizes = bytecodeOf(MANIFEST, engine);
    const largest = [...sizes].sort(([, one], [, other]) => other - one).slice(0, 4);
    const { panel, proof } = sumsOf(sizes);
    bench.progress(`${panel + proof} bytes of bytecode; ${EVENTS} events …`);
    const { slotBytes, steady, growth } = await measureHeap(engine, EVENTS);
    return [
      {
        row: 'firmware-bytecode',
        what: "XS bytecode of the firmware's own modules, the board's included, without its proof of the server",
        unit: 'KiB',
        server: [panel / KIB],
        bar: { relation: '<=', limit: BYTECODE_LIMIT / KIB, on: 'server' },
        notes: [largest.map(([file, size]) => `${file} ${size}`).join(', ')],
      },
      {
        row: 'firmware-proof',
        what: 'XS bytecode of the proof of the server, which the panel makes itself',
        unit: 'KiB',
        server: [proof / KIB],
        bar: { relation: '<=', limit: PROOF_LIMIT / KIB, on: 'server' },
        notes: [],
      },
      {
        row: 'firmware-heap',
        what: `heap of XS in use while a panel is online, beyond its ROM; slots of ${slotBytes} bytes`,
        unit: 'KiB',
        server: [total(steady) / KIB],
        bar: { relation: '<=', limit: HEAP_LIMIT / KIB, on: 'server' },
        notes: [inKib(steady), CAVEAT],
      },
      {
        row: 'firmware-growth',
        what: `growth of that heap over ${thousands(EVENTS)} events`,
        unit: 'bytes',
        server: [total(growth)],
        bar: { relation: '<=', limit: 0, on: 'server' },
        notes: [],
      },
    ];
  },
};
