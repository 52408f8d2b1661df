/** How much a panel holds in the memory of XS. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleModules } from '../../../firmware/desktop/bundle.js';
import { type DesktopPanel, startPanel } from '../../../firmware/desktop/desktop-panel.js';
import { XsWorker } from '../../../firmware/desktop/worker.js';
import { changedTopic } from '../../../shared/topics.js';
import { until } from '../../until.js';
import { ScriptedServer } from '../desktop/scripted-server.js';
import type { Engine } from './engine.js';

/** In bytes, after a garbage collection. */
export interface Heap {
  slots: number;
  chunks: number;
}

export const total = ({ slots, chunks }: Heap): number => slots + chunks;

export interface Heaps {
  slotBytes: number;
  /** What a running panel that is online holds beyond what a board has in its ROM. */
  steady: Heap;
  /** How much that has grown after so many events. */
  growth: Heap;
}

/** A panel lives through edges of its door and messages of its server. */
export async function measureHeap({ worker }: Engine, events: number): Promise<Heaps> {
  const directory = mkdtempSync(join(tmpdir(), 'heap-'));
  const server = await ScriptedServer.listen();
  server.armed = true;
  const panel = await startPanel({
    server: server.url,
    device: 'db9ef9e3-a767-4d22-9e5f-a3c5a71519ff',
    password: 'secret',
    flash: join(directory, 'flash.json'),
    engine: worker,
    config: { debounce: 1 },
  });
  try {
    const rom = await romHeap(worker, join(directory, 'rom'));
    const now = (): Promise<Snapshot> => panelHeap(panel, server, join(directory, 'panel'));
    await panel.until(({ armed, online }) => armed && online);
    // What is made at the first time is made.
    await live(panel, server, EVENTS_OF_A_ROUND);
    const before = await now();
    for (let done = 0; done < events; done += EVENTS_OF_A_ROUND) await live(panel, server, EVENTS_OF_A_ROUND);
    return { slotBytes: rom.slotBytes, steady: minus(before, rom), growth: minus(await now(), before) };
  } finally {
    panel.stop();
    await server.close();
    rmSync(directory, { recursive: true });
  }
}

const EVENTS_OF_A_ROUND = 200;
/** The version is the same each time: the lengths of the texts that the panel keeps do not change. */
const SAME = { version: 1, data: { alarm_armed: true } };

/** Each door that opens or closes is an edge and the end of its debouncing, and so is each order a message. */
async function live(panel: DesktopPanel, server: ScriptedServer, events: number): Promise<void> {
  for (let done = 0; done < events; done += 8) {
    const opened = panel.until(({ doorOpen }) => doorOpen);
    panel.openDoor();
    await opened;
    const closed = panel.until(({ doorOpen }) => !doorOpen);
    panel.closeDoor();
    await closed;
    for (let messages = 0; messages < 4; messages += 1) server.push(changedTopic('desired'), SAME);
  }
}

interface Snapshot extends Heap {
  slotBytes: number;
}

/** What it holds when it has answered all that was sent to it. */
async function panelHeap(panel: DesktopPanel, server: ScriptedServer, path: string): Promise<Snapshot> {
  server.reports.length = 0;
  panel.openDoor();
  await until(() => server.reports.some(({ data }) => data.door_open === true));
  panel.closeDoor();
  await until(() => server.reports.some(({ data }) => data.door_open === false));
  await panel.writeSnapshot(path);
  return readSnapshot(path);
}

async function romHeap(engine: string, path: string): Promise<Snapshot> {
  const worker = new XsWorker(engine, {
    onRequest: () => Buffer.from('{}\n'),
    onOutput: () => undefined,
    onEnd: () => undefined,
  });
  const { source } = await bundleModules();
  await worker.evaluate(source);
  await worker.writeSnapshot(path);
  worker.kill();
  return readSnapshot(path);
}

const minus = (one: Heap, other: Heap): Heap => ({
  slots: one.slots - other.slots,
  chunks: one.chunks - other.chunks,
});

const HEADER = 8;

/** The atoms of a snapshot of XS: each has its length, its type and its content. */
function readSnapshot(path: string): Snapshot {
  const bytes = readFileSync(path);
  const atoms = new Map<string, Buffer>();
  for (let at = HEADER; at < bytes.length; at += bytes.readUInt32BE(at)) {
    const content = bytes.subarray(at + HEADER, at + bytes.readUInt32BE(at));
    atoms.set(bytes.toString('latin1', at + 4, at + HEADER), content);
  }
  const atom = (type: string): Buffer => {
    const found = atoms.get(type);
    if (found === undefined) throw new Error(`a snapshot without ${type}`);
    return found;
  };
  return { slots: atom('HEAP').length, chunks: atom('BLOC').length, slotBytes: atom('VERS').readInt8(3) };
}
