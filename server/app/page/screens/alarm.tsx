import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../parts/icon.js';
import { type AppState, lastAlarm, serverNow } from '../state/app.js';
import { rangText } from '../state/contacts.js';
import { sureText } from '../state/headline.js';
import { type Panel, wantedOf } from '../state/panel.js';
import { refusalOf } from '../state/problems.js';
import { say } from '../state/say.js';
import { clockText, durationText } from '../state/time-text.js';
import { obstacleText, toggleOf, wishText } from '../state/toggle.js';

interface AlarmProps {
  readonly state: AppState;
  readonly panel: Panel;
  readonly onDisarm: () => void;
  readonly onSilence: () => void;
}

/** Covers the whole screen while a siren rings. */
export function Alarm({ state, panel, onDisarm, onSilence }: AlarmProps): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const server = serverNow(state);
  const since = lastAlarm(state, panel.id)?.from;
  const isOld = state.link.kind !== 'live' || !panel.presence.isConnected;
  const obstacle = obstacleText(state.link, state.role);
  const isBlocked = obstacle !== undefined || wantedOf(panel) === false;
  return (
    <dialog
      ref={dialog}
      class="alarm"
      role="alertdialog"
      aria-labelledby="alarm-word"
      aria-describedby="alarm-what"
      onCancel={(event) => event.preventDefault()}
    >
      <div class="bell">
        <Icon name="bell" />
      </div>
      <h1 id="alarm-word">{say('mood.alarm')}</h1>
      <p id="alarm-what" class="what">
        {say(isOld ? 'alarm.rang' : 'alarm.rings', { panel: panel.name })} {rangText(panel)}.
      </p>
      <p class="since">
        {since !== undefined &&
          say('alarm.since', {
            time: clockText(since, server),
            duration: durationText(Math.max(0, server - since)),
          })}
      </p>
      <p class="sure">{isOld && sureText(panel, state.link, { phone: state.now, server })}</p>
      <button type="button" class="disarm" aria-disabled={isBlocked} onClick={() => isBlocked || onDisarm()}>
        {say('disarm')}
      </button>
      <p class="wish" role="status">
        {wishText(toggleOf(panel, state.link, state.now)) ?? obstacle ?? refusalOf(panel)?.what}
      </p>
      <button type="button" class="silence" onClick={onSilence}>
        {say('alarm.silence')}
      </button>
    </dialog>
  );
}
