import type { PanelDevice } from './credentials.js';
import { type Program, startProgram } from './program.js';
import { type PanelState, parsePanelState } from './text.js';

export interface PanelOptions {
  /** `mqtt://host:port` */
  server: string;
  device: PanelDevice;
  /** The file that stands for its flash. */
  flash: string;
  onState: (state: PanelState) => void;
  print: (line: string) => void;
}

/** The panel on the XS engine, as `npm run panel` runs it. */
export const startPanel = ({ server, device, flash, onState, print }: PanelOptions): Program =>
  startProgram({
    file: 'firmware/desktop/command-line.ts',
    args: ['--server', server, '--device', device.id, '--flash', flash, '--json'],
    env: { PANEL_PASSWORD: device.password },
    quitWord: 'quit',
    onLine: (line) => {
      const state = parsePanelState(line);
      if (state === undefined) print(line);
      else onState(state);
    },
  });
