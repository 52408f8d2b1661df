import type { JSX } from 'preact';
import { Bar, Links } from '../parts/bar.js';
import { Icon, MOOD_ICONS } from '../parts/icon.js';
import { type AppState, serverNow } from '../state/app.js';
import { contactsText } from '../state/contacts.js';
import { WORDS } from '../state/fault.js';
import { panelFragment } from '../state/fragment.js';
import { headlineOf } from '../state/headline.js';
import type { Panel } from '../state/panel.js';
import { problemsOf } from '../state/problems.js';
import { agoText } from '../state/time-text.js';

/** The list of the panels, where there are several or none. */
export function List({ state }: { state: AppState }): JSX.Element {
  const { panels, isListed, link } = state;
  return (
    <>
      <Bar title="Panels">
        <Links />
      </Bar>
      <main>
        <p class="sure" role="status">
          {link.kind === 'lost' && `${WORDS['server-away'].what} ${WORDS['server-away'].todo}`}
          {link.kind === 'connecting' && 'Connecting to the server …'}
        </p>
        <ul class="list">
          {panels.map((panel) => (
            <Item key={panel.id} panel={panel} state={state} />
          ))}
        </ul>
        {isListed && panels.length === 0 && (
          <p class="quiet">
            There is no panel yet. On the server, <code>npm run twin -- device create NAME</code> makes one.
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
        <span>not an alarm panel</span>
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
          {word}
          {current !== undefined && `, ${contactsText(panel).toLowerCase()}`}
          {!presence.isConnected && ', no contact'}
          {problemsOf(panel).length > 0 && ', needs attention'}
        </span>
        <span class="age">{current !== undefined && agoText(current.at, serverNow(state))}</span>
        <Icon name="next" />
      </a>
    </li>
  );
}
