import type { JSX } from 'preact';
import type { Order } from '../../../../shared/rest.js';
import type { AppState } from '../state/app.js';
import type { Panel } from '../state/panel.js';
import { actionText, type Toggle, wishText } from '../state/toggle.js';
import { Disarm } from './disarm.js';
import { Icon } from './icon.js';

interface ArmButtonProps {
  readonly state: AppState;
  readonly panel: Panel;
  readonly toggle: Toggle;
  /** Says why it cannot be touched; undefined when it can. */
  readonly obstacle: string | undefined;
  readonly onArm: () => void;
  readonly onOrder: (order: Order) => void;
  readonly onWithdraw: () => void;
}

/**
 * The big toggle. Its knob shows what the panel reported. While an order is under way it stands in the middle. A touch arms;
 * to disarm, it is held.
 */
export function ArmButton(props: ArmButtonProps): JSX.Element {
  const { state, panel, toggle, obstacle, onArm, onOrder, onWithdraw } = props;
  const { kind, says } = toggle;
  const knob = kind === 'settled' ? (says === true ? 'armed' : 'disarmed') : 'between';
  // The server has not answered the last touch yet.
  const isBlocked = panel.asked !== undefined || obstacle !== undefined;
  const look = `arm-button knob-${knob}`;
  const face = (
    <>
      <span class="knob">
        <Icon name={says === true ? 'shield-check' : 'shield'} />
      </span>
      <span class="label">{actionText(toggle)}</span>
    </>
  );
  return (
    <div class="control">
      {toggle.next ? (
        <button
          type="button"
          class={look}
          aria-disabled={isBlocked}
          aria-describedby="wish"
          onClick={() => isBlocked || onArm()}
        >
          {face}
        </button>
      ) : (
        <Disarm
          class={look}
          state={state}
          panel={panel}
          isBlocked={isBlocked}
          onOrder={onOrder}
          onWithdraw={onWithdraw}
        >
          {face}
        </Disarm>
      )}
      <p id="wish" class="wish" role="status">
        {wishText(toggle) ?? obstacle}
      </p>
    </div>
  );
}
