/** Why the panel is offline, as its connections tell it. */

import type { Board, Fault } from './board.js';
import { derived } from './guard.js';

/**
 * No network; no time, without which no certificate is valid; the server's certificate; the device's credentials; or
 * anything else between the panel and its server.
 */
export type Trouble = 'network' | 'time' | 'certificate' | 'device' | 'server';

/** Control packet type, and the return codes for an unknown device, a wrong password, a disabled one [MQTT-3.2.2.3]. */
const CONNACK = 2;
const REFUSALS_OF_DEVICE = [4, 5];

/** The same board. `onTrouble` hears why each connection ended; for an accepted connection it hears `server`. */
export const watchedBoard = (board: Board, onTrouble: (trouble: Trouble) => void): Board =>
  derived(board, {
    mqtt: (options) =>
      board.mqtt({
        ...options,
        onControl(operation, message) {
          if (operation === CONNACK)
            onTrouble(REFUSALS_OF_DEVICE.includes(message.returnCode ?? 0) ? 'device' : 'server');
          options.onControl(operation, message);
        },
        onError(fault) {
          onTrouble((fault as Fault)?.kind === 'certificate' ? 'certificate' : 'server');
          options.onError(fault);
        },
      }),
  });
