/** A panel on desktop XS as a program under measurement, and what it says of its state. */

import { join } from 'node:path';
import { type PanelState, parsePanelState } from '../../firmware/desktop/demo/text.js';
import type { Bench } from './bench.js';
import type { Credentials } from './load/mqtt.js';
import { OPEN, type Program, typescript } from './program.js';
import { call, documentPath, type Reached, type Server } from './server.js';

export interface Panel {
  /** What a person at the panel would do, such as `open`. */
  type(word: string): void;
  /** Waits for the next state that is so. */
  until(isSo: (state: PanelState) => boolean): Promise<void>;
}

export async function startPanel(bench: Bench, server: Server, device: Credentials): Promise<Panel> {
  const { host, port } = server.mqtt.address;
  const flash = join(await bench.directory(), 'flash.json');
  const program: Program = bench.start(
    typescript(
      'firmware/desktop/command-line.ts',
      ...['--server', `mqtt://${host}:${port}`, '--flash', flash, '--json'],
      ...['--device', device.id, '--password', device.password],
    ),
    { role: 'load', input: OPEN },
  );
  const panel: Panel = {
    type: (word) => program.type(word),
    until: async (isSo) => {
      await program.line((line) => {
        const state = parsePanelState(line);
        return (state !== undefined && isSo(state)) || undefined;
      });
    },
  };
  await panel.until(({ online }) => online);
  return panel;
}

/** What the app does. */
export async function arm(server: Reached, device: Pick<Credentials, 'id'>, armed: boolean): Promise<void> {
  await call(server, 'PUT', documentPath(device.id, 'desired'), { data: { alarm_armed: armed } });
}
