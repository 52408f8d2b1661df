import type { JSX } from 'preact';
import type { NoticeWork } from '../client/notice-work.js';
import type { SettingsWork } from '../client/settings-work.js';
import { Bar } from '../parts/bar.js';
import { LanguageChooser } from '../parts/language-chooser.js';
import { Deliveries, Notifications } from '../parts/notifications.js';
import { PanelNames } from '../parts/panel-names.js';
import { Phones } from '../parts/phones.js';
import { PinSettings } from '../parts/pin-settings.js';
import { Server } from '../parts/server-facts.js';
import { mayAct } from '../state/alerts.js';
import { type AppState, serverNow, shownId } from '../state/app.js';
import { consoleAddress } from '../state/fragment.js';
import { say } from '../state/say.js';

interface PhoneProps {
  readonly state: AppState;
  readonly work: NoticeWork | undefined;
  readonly settings: SettingsWork | undefined;
  readonly onPin: (pin: string | null, current: string | undefined) => void;
  readonly onUnpair: () => void;
}

/** The settings: of this phone, and what it may see and change of the server. */
export function Phone({ state, work, settings, onPin, onUnpair }: PhoneProps): JSX.Element {
  const id = shownId(state);
  return (
    <>
      <Bar title={say('phone.title')} back={id === undefined ? '#' : `#panel=${id}`} />
      <main class="phone">
        <Notifications state={state} work={work} />
        <Deliveries state={state} />
        {mayAct(state.role) && <PinSettings state={state} onSet={onPin} />}
        <LanguageChooser work={settings} />
        {state.role === 'owner' && state.panels.length > 0 && (
          <PanelNames panels={state.panels} work={settings} />
        )}
        <Phones work={settings} now={serverNow(state)} />
        <Server work={settings} />
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
