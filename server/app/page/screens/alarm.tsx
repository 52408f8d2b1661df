import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Order } from '../../../../shared/rest.js';
import { Disarm } from '../parts/disarm.js';
import { Icon } from '../parts/icon.js';
import { Retry } from '../parts/retry.js';
import { FaultText } from '../parts/warnings.js';
import { type AppState, lastAlarm, serverNow } from '../state/app.js';
import { rangText } from '../state/contacts.js';
import { knownUntil, ringingText, sirenLeftText, sureText } from '../state/headline.js';
import { type Panel, wantedOf } from '../state/panel.js';
import { refusalOf } from '../state/problems.js';
import { say } from '../state/say.js';
import { obstacleText, toggleOf, wishText } from '../state/toggle.js';

interface AlarmProps {
  readonly state: AppState;
  readonly panel: Panel;
  readonly onOrder: (order: Order) => void;
  readonly onWithdraw: () => void;
  readonly onRetry: () => void;
  readonly onSilence: () => void;
}

/** Covers the whole screen while a siren rings. */
export function Alarm(props: AlarmProps): JSX.Element {
  const { state, panel, onOrder, onWithdraw, onRetry, onSilence } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const server = serverNow(state);
  const since = lastAlarm(state, panel.id)?.from;
  const isOld = knownUntil(state, panel) !== undefined;
  const obstacle = obstacleText(state, false);
  const isBlocked = obstacle !== undefined || wantedOf(panel) === false;
  const wish = wishText(toggleOf(panel, state.link, state.now)) ?? obstacle ?? refusalOf(panel)?.what;
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
        {ringingText(state, panel, since)}
        <br />
        {sirenLeftText(state, panel)}
      </p>
      {isOld && (
        <>
          <p class="sure">
            {sureText(panel, state.link, { phone: state.now, server })} {say('gone.todo')}
          </p>
          <Retry link={state.link} now={state.now} onRetry={onRetry} />
        </>
      )}
      <Disarm
        class="disarm"
        state={state}
        panel={panel}
        isBlocked={isBlocked}
        onOrder={onOrder}
        onWithdraw={onWithdraw}
      >
        {say('disarm')}
      </Disarm>
      <p id="wish" class="wish" role="status">
        {state.fault !== undefined ? <FaultText fault={state.fault} /> : wish}
      </p>
      <button type="button" class="silence" onClick={onSilence}>
        {say('alarm.silence')}
      </button>
    </dialog>
  );
}
