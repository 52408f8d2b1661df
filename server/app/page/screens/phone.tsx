import type { JSX } from 'preact';
import type { NoticeWork } from '../client/notice-work.js';
import { Bar } from '../parts/bar.js';
import { Deliveries, Notifications } from '../parts/notifications.js';
import { type AppState, type Role, shownId } from '../state/app.js';
import { consoleAddress } from '../state/fragment.js';

interface PhoneProps {
  readonly state: AppState;
  readonly work: NoticeWork | undefined;
  readonly onUnpair: () => void;
}

const ROLES: Record<Role, string> = {
  owner: 'This phone may do everything.',
  app: 'This phone may look, arm and disarm.',
  reader: 'This phone may look.',
};

/** The settings of this phone. */
export function Phone({ state, work, onUnpair }: PhoneProps): JSX.Element {
  const id = shownId(state);
  return (
    <>
      <Bar title="This phone" back={id === undefined ? '#' : `#panel=${id}`} />
      <main class="phone">
        <Notifications state={state} work={work} />
        <Deliveries state={state} />
        {state.role === 'owner' && (
          <section>
            <h2>Console</h2>
            <p>Connect as a device, by MQTT, and see every message.</p>
            <a class="plain" href={consoleAddress(id)}>
              Open the console
            </a>
          </section>
        )}
        <section>
          <h2>Pairing</h2>
          <p>{state.role !== undefined && ROLES[state.role]}</p>
          <button type="button" class="plain" onClick={onUnpair}>
            Forget the pairing
          </button>
        </section>
      </main>
    </>
  );
}
