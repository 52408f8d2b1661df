/** How long it takes from what the panel reports to what Home Assistant shows. */

import type { Program } from '../system/process.js';
import type { Server } from '../system/server.js';
import { until } from '../until.js';
import type { HomeAssistant } from './home-assistant.js';

interface Parts {
  readonly home: HomeAssistant;
  readonly server: Server;
  readonly deviceId: string;
  readonly panel: Program;
  /** That of the window. */
  readonly entityId: string;
}

/** Opens and closes the window so often. @returns milliseconds */
export async function measureReports(
  { home, server, deviceId, panel, entityId }: Parts,
  count: number,
): Promise<{ p50: number; p99: number }> {
  let isOpen = false;
  let reported: number | undefined;
  let shown: number | undefined;
  const end = new AbortController();
  const stream = await server.api(`/twins/${deviceId}/events`, { signal: end.signal });
  const following = follow(stream, (text) => {
    if (text.includes(`"window":{"open":${isOpen}`)) reported ??= performance.now();
  }).catch(() => undefined);
  const stop = await home.onChange((changed, state) => {
    if (changed === entityId && state === (isOpen ? 'on' : 'off')) shown ??= performance.now();
  });
  const times: number[] = [];
  while (times.length < count) {
    isOpen = !isOpen;
    reported = shown = undefined;
    panel.type(isOpen ? 'open window' : 'close window');
    await until(() => reported !== undefined && shown !== undefined);
    // The server tells both at the same time, so Home Assistant may even be first.
    times.push(Math.max(0, (shown ?? 0) - (reported ?? 0)));
  }
  stop();
  end.abort();
  await following;
  times.sort((one, other) => one - other);
  const at = (share: number): number => times[Math.min(count - 1, Math.floor(count * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

async function follow(stream: Response, heard: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream.body ?? []) heard(decoder.decode(chunk, { stream: true }));
}
