import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { askPermission, type Permission, permission } from '../client/notices.js';
import { Bar } from '../parts/bar.js';
import { type AppState, type Role, shownId } from '../state/app.js';
import { consoleAddress } from '../state/fragment.js';

interface PhoneProps {
  readonly state: AppState;
  readonly onUnpair: () => void;
}

const ROLES: Record<Role, string> = {
  owner: 'This phone may do everything.',
  app: 'This phone may look, arm and disarm.',
  reader: 'This phone may look.',
};

const PERMISSIONS: Record<Permission, string> = {
  default: 'A notification can tell of an alarm while the app is in the background.',
  granted: 'A notification tells of an alarm while the app is open, also in the background.',
  denied: 'Notifications are forbidden in the settings of the browser, for this page. Allow them there.',
  unavailable: 'This browser has none for this page. Over https, with a certificate that it trusts, it may.',
};

/** The settings of this phone. */
export function Phone({ state, onUnpair }: PhoneProps): JSX.Element {
  const [allowed, setAllowed] = useState(permission());
  const id = shownId(state);
  return (
    <>
      <Bar title="This phone" back={id === undefined ? '#' : `#panel=${id}`} />
      <main class="phone">
        <section>
          <h2>Notifications</h2>
          <p role="status">{PERMISSIONS[allowed]}</p>
          {allowed === 'default' && (
            <button type="button" class="primary" onClick={async () => setAllowed(await askPermission())}>
              Allow notifications
            </button>
          )}
        </section>
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
