/** Puts the panel together on a board, and starts it anew after an exception. */

import type { Board } from './board.js';
import { Clock } from './clock.js';
import { guardedBoard, guardWith } from './guard.js';
import { Led } from './led.js';
import { Panel } from './panel.js';
import { Restarts } from './restart.js';
import { Twin } from './twin.js';

export function start(board: Board): void {
  board.trace(`start: ${board.start.reason}`);
  // Before the siren: a siren that the supply cannot bear ends the program.
  const restarts = new Restarts(board);
  const guard = guardWith((error) => {
    board.trace(`restart after an exception: ${describe(error)}`);
    board.restart();
  });
  guard(() => run(guardedBoard(board, guard), restarts))();
}

/** The siren is driven before anything else is touched; the network comes last. */
function run(board: Board, restarts: Restarts): void {
  let twin: Twin | undefined;

  const panel = new Panel(board, () => {
    show();
    twin?.changed();
  });
  const led = new Led(board);
  const show = (): void => {
    const state = panel.state;
    const status = {
      armed: state.armed,
      doorOpen: state.doorOpen,
      sirenRinging: state.sirenRinging,
      online: twin?.online ?? false,
    };
    led.show(status);
    board.show?.(status);
  };
  show();

  const connect = (): void => {
    const clock = new Clock(board, () => twin?.refresh());
    const connected = new Twin(board, panel, clock, show);
    twin = connected;
    const onNetwork = (): void => {
      connected.network(network.online);
      if (network.online) clock.networkUp();
    };
    const network = board.network(onNetwork);
    onNetwork();
  };

  const { healthyAfter, networkPause } = board.config;
  if (!restarts.tooMany) {
    connect();
    board.timers.set(() => restarts.forget(), healthyAfter);
    return;
  }
  board.trace('too many restarts: offline for a while');
  board.timers.set(() => {
    restarts.forget();
    connect();
  }, networkPause);
}

/** The stack of XS begins with the error's name and message. */
const describe = (error: unknown): string => String((error as Error | undefined)?.stack ?? error);
