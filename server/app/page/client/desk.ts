/** What a paired phone does beside its panels: alerts, notifications and settings. */

import type { Store } from '../state/store.js';
import { loadIn } from './language-choice.js';
import { NoticeWork } from './notice-work.js';
import type { Session } from './session.js';
import { SettingsWork } from './settings-work.js';

export interface Desk {
  /** Alerts, and how they reach this phone. */
  readonly notices: NoticeWork;
  readonly settings: SettingsWork;
}

export function deskOf(session: Session, store: Store): Desk {
  const { api } = session;
  const fail = (error: unknown): void => session.fail(error);
  return {
    notices: new NoticeWork({ store, api, tell: (event) => session.tell(event), fail }),
    settings: new SettingsWork({
      api,
      onEnded: () => session.tell({ type: 'unpaired' }),
      onRenamed: () => session.look(),
      load: loadIn,
      fail,
    }),
  };
}
