import type { JSX } from 'preact';
import type { NoticeWork } from '../client/notice-work.js';
import { Bar } from '../parts/bar.js';
import { Deliveries, Notifications } from '../parts/notifications.js';
import { type AppState, shownId } from '../state/app.js';
import { consoleAddress } from '../state/fragment.js';
import { say } from '../state/say.js';

interface PhoneProps {
  readonly state: AppState;
  readonly work: NoticeWork | undefined;
  readonly onUnpair: () => void;
}

/** The settings of this phone. */
export function Phone({ state, work, onUnpair }: PhoneProps): JSX.Element {
  const id = shownId(state);
  return (
    <>
      <Bar title={say('phone.title')} back={id === undefined ? '#' : `#panel=${id}`} />
      <main class="phone">
        <Notifications state={state} work={work} />
        <Deliveries state={state} />
        {state.role === 'owner' && (
          <section>
            <h2>{say('console.title')}</h2>
            <p>{say('console.what')}</p>
            <a class="plain" href={consoleAddress(id)}>
              {say('console.open')}
            </a>
          </section>
        )}
        <section>
          <h2>{say('phone.pairing')}</h2>
          <p>{state.role !== undefined && say(`phone.${state.role}`)}</p>
          <button type="button" class="plain" onClick={onUnpair}>
            {say('phone.forget')}
          </button>
        </section>
      </main>
    </>
  );
}
