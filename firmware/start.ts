/** Puts the panel together on a board, and starts it anew after an exception. */

import type { Board, Network, PanelStatus } from './board.js';
import { Clock } from './clock.js';
import { guardedBoard, guardWith } from './guard.js';
import { Panel } from './panel.js';
import { Restarts } from './restart.js';
import { Signals } from './signals.js';
import type { Trouble } from './trouble.js';
import { Twin } from './twin.js';

export function start(board: Board): void {
  board.trace(`start: ${board.start.reason}`);
  // Before the siren: a siren that the supply cannot bear ends the program.
  const restarts = new Restarts(board);
  const guard = guardWith((error) => {
    // The stack of XS begins with the error's name and message.
    board.trace(`restart after an exception: ${(error as Error | undefined)?.stack ?? error}`);
    board.restart();
  });
  guard(() => new Program(guardedBoard(board, guard)).run(restarts))();
}

class Program {
  private readonly board: Board;
  private readonly panel: Panel;
  private readonly signals: Signals;
  private twin: Twin | undefined;
  private clock: Clock | undefined;
  private network: Network | undefined;
  private failure: Trouble = 'server';

  /** The siren is driven before anything else is touched; the network comes last. */
  constructor(board: Board) {
    this.board = board;
    this.panel = new Panel(
      board,
      () => this.onChange(),
      () => this.clock?.now(),
    );
    this.signals = new Signals(board);
    this.show();
  }

  run(restarts: Restarts): void {
    const { timers, config } = this.board;
    if (!restarts.tooMany) {
      this.connect();
      timers.set(() => restarts.forget(), config.healthyAfter);
      return;
    }
    this.board.trace('too many restarts: offline for a while');
    timers.set(() => {
      restarts.forget();
      this.connect();
    }, config.networkPause);
  }

  private connect(): void {
    const clock = new Clock(this.board, () => this.twin?.refresh());
    this.clock = clock;
    this.twin = new Twin(
      this.board,
      this.panel,
      clock,
      () => this.show(),
      (trouble) => {
        this.failure = trouble;
        this.signal();
      },
    );
    this.network = this.board.network(() => this.onNetwork());
    this.onNetwork();
  }

  private onNetwork(): void {
    const isUp = this.network?.online ?? false;
    this.twin?.network(isUp);
    if (isUp) this.clock?.networkUp();
    this.signal();
  }

  private onChange(): void {
    this.show();
    this.twin?.changed();
  }

  private show(): void {
    this.board.show?.(this.signal());
  }

  private signal(): PanelStatus {
    const { state, contacts } = this.panel;
    const isLost = this.failure === 'certificate' && this.clock?.now() === undefined;
    const status: PanelStatus = {
      armed: state.armed,
      doorOpen: state.doorOpen,
      sirenRinging: state.sirenRinging,
      contacts: contacts.map((contact) => contact.level),
      state: state.name,
      mode: state.mode ?? 'away',
      delayEnd: state.sirenRinging ? undefined : state.until,
      refused: state.refused !== undefined,
      online: this.twin?.online ?? false,
    };
    this.signals.show(status, this.network?.online === false ? 'network' : isLost ? 'time' : this.failure);
    return status;
  }
}
