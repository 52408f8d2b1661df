import type { JSX } from 'preact';
import { Bar, Links } from '../parts/bar.js';
import { Coded } from '../parts/coded.js';
import { Icon, MOOD_ICONS } from '../parts/icon.js';
import { type AppState, isGone, serverNow } from '../state/app.js';
import { contactsText } from '../state/contacts.js';
import { wordsOf } from '../state/fault.js';
import { panelFragment } from '../state/fragment.js';
import { headlineOf } from '../state/headline.js';
import type { Panel } from '../state/panel.js';
import { problemsOf } from '../state/problems.js';
import { say } from '../state/say.js';
import { agoText } from '../state/time-text.js';

/** The list of the panels, where there are several or none. */
export function List({ state }: { state: AppState }): JSX.Element {
  const { panels, isListed, link } = state;
  return (
    <>
      <Bar title={say('list.title')}>
        <Links />
      </Bar>
      <main>
        <p class="sure" role="status">
          {link.kind === 'lost' && Object.values(wordsOf('server-away')).join(' ')}
          {link.kind === 'connecting' && say('link.connecting')}
          {isGone(state) && Object.values(wordsOf('panel-unknown')).join(' ')}
        </p>
        <ul class="list">
          {panels.map((panel) => (
            <Item key={panel.id} panel={panel} state={state} />
          ))}
        </ul>
        {isListed && panels.length === 0 && (
          <p class="quiet">
            <Coded text={say('list.none')} />
          </p>
        )}
      </main>
    </>
  );
}

function Item({ panel, state }: { panel: Panel; state: AppState }): JSX.Element {
  if (panel.isOther) {
    return (
      <li class="item other">
        <Icon name="unknown" />
        <strong>{panel.name}</strong>
        <span>{say('list.other')}</span>
      </li>
    );
  }
  const { mood, word, isOld } = headlineOf(panel, state.link);
  const { current, presence } = panel;
  return (
    <li class={`item mood-${mood}${isOld ? ' old' : ''}`}>
      <a href={panelFragment(panel.id)}>
        <Icon name={MOOD_ICONS[mood]} />
        <strong>{panel.name}</strong>
        <span>
          {[
            word,
            ...(current === undefined ? [] : [contactsText(panel)]),
            ...(presence.isConnected ? [] : [say('list.no-contact')]),
            ...(problemsOf(panel).length === 0 ? [] : [say('list.attention')]),
          ].join(' · ')}
        </span>
        <span class="age">{current !== undefined && agoText(current.at, serverNow(state))}</span>
        <Icon name="next" />
      </a>
    </li>
  );
}
