import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Order } from '../../../../shared/rest.js';
import { later } from '../client/later-parts.js';
import { ArmButton } from '../parts/arm-button.js';
import { Bar, Links } from '../parts/bar.js';
import { Icon, MOOD_ICONS } from '../parts/icon.js';
import { ModeChooser } from '../parts/mode-chooser.js';
import { Moment } from '../parts/moment.js';
import { Problems } from '../parts/warnings.js';
import { type AppState, serverNow } from '../state/app.js';
import { bypassText, contactFacts, delayText, inTheWay, modeOf } from '../state/contacts.js';
import { headlineOf, lastAlarmText, retryText, sirenText, sureText } from '../state/headline.js';
import { type Panel, wantedMode } from '../state/panel.js';
import { problemsOf } from '../state/problems.js';
import { say } from '../state/say.js';
import { obstacleText, toggleOf } from '../state/toggle.js';

interface PanelScreenProps {
  readonly state: AppState;
  readonly panel: Panel;
  readonly onOrder: (order: Order) => void;
  readonly onWithdraw: () => void;
  readonly onRetry: () => void;
}

export function PanelScreen({ state, panel, onOrder, onWithdraw, onRetry }: PanelScreenProps): JSX.Element {
  const { past, orders } = state;
  const { presence } = panel;
  const parts = later();
  return (
    <>
      <Bar title={panel.name} back={state.panels.length > 1 ? '#' : undefined}>
        {state.link.kind === 'lost' && (
          <button type="button" class="round" aria-label={say('gone.try-now')} onClick={onRetry}>
            <Icon name="again" />
          </button>
        )}
        <Links />
      </Bar>
      <main class="panel">
        <div class="now">
          <StateOf panel={panel} state={state} />
          {panel.current !== undefined && (
            <Controls state={state} panel={panel} onOrder={onOrder} onWithdraw={onWithdraw} />
          )}
        </div>
        {parts !== undefined && (
          <parts.Past
            runs={past[panel.id]}
            orders={orders[panel.id]}
            lostAt={presence.isConnected ? undefined : presence.at}
            now={serverNow(state)}
          />
        )}
      </main>
    </>
  );
}

/** The mode, the big toggle, and what keeps the panel from following. */
function Controls({ state, panel, onOrder, onWithdraw }: Omit<PanelScreenProps, 'onRetry'>): JSX.Element {
  const { link, now } = state;
  const toggle = toggleOf(panel, link, now);
  const obstacle = obstacleText(state, toggle.next);
  const isBlocked = panel.asked !== undefined || obstacleText(state, true) !== undefined;
  const reported = modeOf(panel);
  const [chosen, setChosen] = useState(reported);
  const mode = reported && (toggle.next ? (chosen ?? reported) : (wantedMode(panel) ?? reported));
  const arm = (bypass?: readonly string[]) =>
    onOrder({ armed: true, ...(mode && { mode }), ...(bypass && { bypass }) });
  const contacts = toggle.next ? inTheWay(panel) : [];
  return (
    <>
      {mode !== undefined && (
        <ModeChooser
          mode={mode}
          isBlocked={isBlocked}
          onChoose={(next) => {
            setChosen(next);
            if (!toggle.next) onOrder({ armed: true, mode: next });
          }}
        />
      )}
      <ArmButton
        state={state}
        panel={panel}
        toggle={toggle}
        obstacle={obstacle}
        onArm={() => arm()}
        onOrder={onOrder}
        onWithdraw={onWithdraw}
      />
      <Problems problems={problemsOf(panel)} />
      {contacts.length > 0 && (
        <button
          type="button"
          class="bypass"
          aria-disabled={isBlocked}
          onClick={() => isBlocked || arm(contacts)}
        >
          {bypassText(contacts)}
        </button>
      )}
    </>
  );
}

/** The state in a word, a picture and a colour, and how sure it is. */
function StateOf({ panel, state }: { panel: Panel; state: AppState }): JSX.Element {
  const { current, presence } = panel;
  const { mood, word, isOld } = headlineOf(panel, state.link);
  const { siren_ringing = false } = current?.data ?? {};
  const isConnected = state.link.kind === 'live' && presence.isConnected;
  const server = serverNow(state);
  return (
    <section class={`state mood-${mood}${isOld ? ' old' : ''}`}>
      <div class="status" role="status">
        <p class="sure">
          <Icon name={isConnected ? 'contact' : 'no-contact'} />
          <span>
            {sureText(panel, state.link, { phone: state.now, server })} {retryText(state.link, state.now)}
          </span>
        </p>
        <div class="badge">
          <Icon name={MOOD_ICONS[mood]} />
        </div>
        <p class="last">{isOld && current !== undefined && say('state.last-known')}</p>
        <p class="word">{word}</p>
        {(modeOf(panel) !== undefined || delayText(panel, server) !== '') && (
          <p class="delay" role="timer" aria-live="off">
            {!isOld && delayText(panel, server)}
          </p>
        )}
        <ul class="facts">
          {contactFacts(panel).map(({ name, isOpen, text }) => (
            <li key={name} class={isOpen ? 'is-open' : ''}>
              <Icon name={isOpen ? 'door-open' : 'door-closed'} />
              {text}
            </li>
          ))}
          <li class={siren_ringing ? 'is-ringing' : ''}>
            <Icon name={siren_ringing ? 'bell' : 'bell-off'} />
            {sirenText(panel)}
          </li>
        </ul>
        <p class="last-alarm">{lastAlarmText(panel, server)}</p>
      </div>
      <p class="updated">
        {current !== undefined && <Moment what={say('state.updated')} at={current.at} now={server} />}
      </p>
    </section>
  );
}
