import type { JSX } from 'preact';
import type { NoticeWork } from '../client/notice-work.js';
import { Bar } from '../parts/bar.js';
import { type Alert, isWaiting, lifeText, mayAct, mutedText, muteOf, titleOf } from '../state/alerts.js';
import { type AppState, serverNow, shownId } from '../state/app.js';
import type { Panel } from '../state/panel.js';
import { say } from '../state/say.js';
import { HOUR } from '../state/time-text.js';

interface AlertsProps {
  readonly state: AppState;
  readonly work: NoticeWork | undefined;
}

/** What was raised, who has acknowledged it, and which panels are muted. */
export function Alerts({ state, work }: AlertsProps): JSX.Element {
  const { notices, panels, role } = state;
  const id = shownId(state);
  const own = panels.filter(({ isOther }) => !isOther);
  return (
    <>
      <Bar title={say('alerts.title')} back={id === undefined ? '#' : `#panel=${id}`} />
      <main class="phone">
        <section>
          <h2>{say('alerts.raised')}</h2>
          <ul class="alerts">
            {notices.alerts?.map((alert) => (
              <Item key={alert.id} alert={alert} state={state} work={work} />
            ))}
          </ul>
          <p class="quiet" role="status">
            {notices.alerts === undefined && say('alerts.asking')}
            {notices.alerts?.length === 0 && say('alerts.none')}
          </p>
        </section>
        {mayAct(role) && own.length > 0 && (
          <section>
            <h2>{say('mute.title')}</h2>
            <p>{say('mute.what')}</p>
            {own.map((panel) => (
              <Muting key={panel.id} panel={panel} state={state} work={work} />
            ))}
          </section>
        )}
      </main>
    </>
  );
}

function Item({ alert, state, work }: AlertsProps & { alert: Alert }): JSX.Element {
  return (
    <li class={isWaiting(alert) ? 'is-waiting' : ''}>
      <p>
        <strong>{titleOf(alert)}</strong>
        <br />
        {lifeText(alert, serverNow(state))}
      </p>
      {isWaiting(alert) && mayAct(state.role) && (
        <button
          type="button"
          class="plain"
          aria-label={say('alerts.acknowledge-this', { alert: titleOf(alert) })}
          onClick={() => work?.acknowledge(alert.id)}
        >
          {say('alerts.acknowledge')}
        </button>
      )}
    </li>
  );
}

function Muting({ panel, state, work }: AlertsProps & { panel: Panel }): JSX.Element {
  const mute = muteOf(state.notices.mutes, panel.id, serverNow(state));
  const button = (text: string, forMs: number) => (
    <button
      type="button"
      class="plain"
      aria-label={say('mute.button', { action: text, panel: panel.name })}
      onClick={() => work?.mute(panel.id, forMs)}
    >
      {text}
    </button>
  );
  return (
    <div class="muting">
      <p>
        <strong>{panel.name}</strong> {mute !== undefined && mutedText(mute, serverNow(state))}
      </p>
      {mute === undefined
        ? [1, 8].map((hours) => button(say('mute.hours', { hours }), hours * HOUR))
        : button(say('mute.off'), 0)}
    </div>
  );
}
