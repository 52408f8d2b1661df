/** The twin loop on a board in memory, with the test as its server and as its alarm. */

import { type AlarmState, UNKNOWN } from '../../firmware/alarm.js';
import type { PanelConfig } from '../../firmware/config.js';
import { NO_DOCUMENT } from '../../firmware/desired.js';
import type { Wish } from '../../firmware/message.js';
import { Twin, type TwinPanel } from '../../firmware/twin.js';
import type { RefusalReason } from '../../shared/panel.js';
import { MemoryBoard } from './memory-board.js';

export const SECOND = 1000;
export const DESIRED = '$SCW/twins/me/desired';
export const CURRENT = '$SCW/twins/me/current';
export const GET = { topic: `${DESIRED}/get`, body: {} };
export const IDLE = { alarm_armed: false, siren_ringing: false, door_open: false };

/** What the twin stands for, without an alarm behind it. */
export class FakePanel {
  state: AlarmState = UNKNOWN;
  looks = 0;
  orders: boolean[] = [];
  kept: TwinPanel['kept'] = { wish: NO_DOCUMENT };
  fault: string | undefined;
  isPlain = true;
  /** Whether its flash takes writes. */
  takes = true;
  onChange = (): void => {};

  report(): object {
    return {};
  }

  obey({ alarm_armed: armed, id }: Wish): RefusalReason | undefined {
    this.orders.push(armed);
    if (!this.takes) return 'flash takes no writes';
    this.kept = { ...this.kept, wish: id };
    if (armed !== this.state.armed) this.set({ armed });
    return undefined;
  }

  look(): void {
    this.looks += 1;
  }

  set(levels: Partial<AlarmState>): void {
    this.state = { ...this.state, ...levels };
    this.onChange();
  }
}

export function connecting(settings: Partial<PanelConfig> = {}) {
  const board = new MemoryBoard({ keepAlive: 1000 * SECOND, ...settings });
  const panel = new FakePanel();
  const onlines: boolean[] = [];
  const clock: { time: number | undefined; now(): number | undefined } = {
    time: undefined,
    now: () => clock.time,
  };
  const twin: Twin = new Twin(
    board,
    panel,
    clock,
    () => onlines.push(twin.online),
    () => undefined,
  );
  panel.onChange = () => twin.changed();
  twin.network(true);
  board.advanceToConnection();
  return { board, panel, twin, clock, onlines };
}

/** A twin that has asked, was answered, and has reported itself. */
export function settled(settings: Partial<PanelConfig> = {}) {
  const all = connecting(settings);
  all.board.client.accept();
  answerDesired(all.board, false, 1);
  all.board.client.take();
  return all;
}

export const desired = (
  armed: boolean,
  version?: number,
  created_at?: string,
  updated_at = created_at,
): object => ({
  twin_id: 'x',
  document_name: 'desired',
  version,
  data: { alarm_armed: armed },
  created_at,
  updated_at,
});

type Tell = (
  board: MemoryBoard,
  armed: boolean,
  version?: number,
  createdAt?: string,
  updatedAt?: string,
) => void;

export const answerDesired: Tell = (board, ...document) =>
  board.client.deliver(`${DESIRED}/get/response/success`, desired(...document));

export const push: Tell = (board, ...document) =>
  board.client.deliver(`${DESIRED}/changed`, desired(...document));

export function refuse(board: MemoryBoard, topic: string, error: string): void {
  board.client.deliver(`${topic}/response/error`, { error, twin_id: 'x', document_name: 'y' });
}
