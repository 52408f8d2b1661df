import type { JSX } from 'preact';
import { ArmButton } from '../parts/arm-button.js';
import { Bar, PhoneLink } from '../parts/bar.js';
import { Icon, MOOD_ICONS } from '../parts/icon.js';
import { Moment } from '../parts/moment.js';
import { Past } from '../parts/past.js';
import { Problems } from '../parts/warnings.js';
import { type AppState, serverNow } from '../state/app.js';
import { doorText, headlineOf, lastAlarmText, sirenText, sureText } from '../state/headline.js';
import type { Panel } from '../state/panel.js';
import { problemsOf } from '../state/problems.js';
import { obstacleText, toggleOf } from '../state/toggle.js';

interface PanelScreenProps {
  readonly state: AppState;
  readonly panel: Panel;
  readonly onArm: (armed: boolean) => void;
}

export function PanelScreen({ state, panel, onArm }: PanelScreenProps): JSX.Element {
  const { link, role, now, past } = state;
  const toggle = toggleOf(panel, link, now);
  const { presence } = panel;
  return (
    <>
      <Bar title={panel.name} back={state.panels.length > 1 ? '#' : undefined}>
        <PhoneLink />
      </Bar>
      <main class="panel">
        <div class="now">
          <StateOf panel={panel} state={state} />
          <ArmButton
            toggle={toggle}
            obstacle={obstacleText(link, role)}
            isBusy={panel.asked !== undefined}
            onTouch={() => onArm(toggle.next)}
          />
          <Problems problems={problemsOf(panel)} />
        </div>
        <Past
          runs={past[panel.id]}
          lostAt={presence.isConnected ? undefined : presence.at}
          now={serverNow(state)}
        />
      </main>
    </>
  );
}

/** The state in a word, a picture and a colour, and how sure it is. */
function StateOf({ panel, state }: { panel: Panel; state: AppState }): JSX.Element {
  const { current, presence } = panel;
  const { mood, word, isOld } = headlineOf(panel, state.link);
  const { door_open = false, siren_ringing = false } = current?.data ?? {};
  const isConnected = state.link.kind === 'live' && presence.isConnected;
  const server = serverNow(state);
  return (
    <section class={`state mood-${mood}${isOld ? ' old' : ''}`}>
      <div class="status" role="status">
        <p class="sure">
          <Icon name={isConnected ? 'contact' : 'no-contact'} />
          <span>{sureText(panel, state.link, { phone: state.now, server })}</span>
        </p>
        <div class="badge">
          <Icon name={MOOD_ICONS[mood]} />
        </div>
        <p class="last">{isOld && current !== undefined && 'Last known:'}</p>
        <p class="word">{word}</p>
        <ul class="facts">
          <li class={door_open ? 'is-open' : ''}>
            <Icon name={door_open ? 'door-open' : 'door-closed'} />
            {doorText(panel)}
          </li>
          <li class={siren_ringing ? 'is-ringing' : ''}>
            <Icon name={siren_ringing ? 'bell' : 'bell-off'} />
            {sirenText(panel)}
          </li>
        </ul>
        <p class="last-alarm">{lastAlarmText(panel, server)}</p>
      </div>
      <p class="updated">{current !== undefined && <Moment what="Updated" at={current.at} now={server} />}</p>
    </section>
  );
}
