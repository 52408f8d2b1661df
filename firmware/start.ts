/** Puts the panel together on a board, and starts it anew after an exception. */

import type { Board, Network, PanelStatus } from './board.js';
import { Clock } from './clock.js';
import { guardedBoard, guardWith } from './guard.js';
import { Panel } from './panel.js';
import { Restarts } from './restart.js';
import { Signals } from './signals.js';
import { type Trouble, watchedBoard } from './trouble.js';
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
  let clock: Clock | undefined;

  const onChange = (): void => {
    show();
    twin?.changed();
  };
  const panel = new Panel(board, onChange, () => clock?.now());
  const signals = new Signals(board);
  let network: Network | undefined;
  let failure: Trouble = 'server';
  const status = (): PanelStatus => {
    const { armed, doorOpen, sirenRinging, name, mode, until, refused } = panel.state;
    return {
      armed,
      doorOpen,
      sirenRinging,
      contacts: panel.contacts.map(({ level }) => level),
      state: name,
      mode: mode ?? 'away',
      delayEnd: sirenRinging ? undefined : until,
      refused: refused !== undefined,
      online: twin?.online ?? false,
    };
  };
  const trouble = (): Trouble => {
    if (network?.online === false) return 'network';
    return failure === 'certificate' && clock?.now() === undefined ? 'time' : failure;
  };
  const show = (): void => {
    signals.show(status(), trouble());
    board.show?.(status());
  };
  show();

  const connect = (): void => {
    const time = new Clock(board, () => twin?.refresh());
    const watched = watchedBoard(board, (reason) => {
      failure = reason;
      signals.show(status(), trouble());
    });
    const connected = new Twin(watched, panel, time, show);
    clock = time;
    twin = connected;
    const onNetwork = (): void => {
      const isUp = network?.online ?? false;
      connected.network(isUp);
      if (isUp) time.networkUp();
      signals.show(status(), trouble());
    };
    network = board.network(onNetwork);
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
