import type { JSX } from 'preact';
import { actionText, type Toggle, wishText } from '../state/toggle.js';
import { Icon } from './icon.js';

interface ArmButtonProps {
  readonly toggle: Toggle;
  /** Says why it cannot be touched; undefined when it can. */
  readonly obstacle: string | undefined;
  /** The server has not answered the last touch yet. */
  readonly isBusy: boolean;
  readonly onTouch: () => void;
}

/** The big toggle. Its knob shows what the panel reported. While an order is under way it stands in the middle. */
export function ArmButton({ toggle, obstacle, isBusy, onTouch }: ArmButtonProps): JSX.Element {
  const { kind, says } = toggle;
  const knob = kind === 'settled' ? (says === true ? 'armed' : 'disarmed') : 'between';
  const isBlocked = isBusy || obstacle !== undefined;
  return (
    <div class="control">
      <button
        type="button"
        class={`arm-button knob-${knob}`}
        aria-disabled={isBlocked}
        aria-describedby="wish"
        onClick={() => isBlocked || onTouch()}
      >
        <span class="knob">
          <Icon name={says === true ? 'shield-check' : 'shield'} />
        </span>
        <span class="label">{actionText(toggle)}</span>
      </button>
      <p id="wish" class="wish" role="status">
        {wishText(toggle) ?? obstacle}
      </p>
    </div>
  );
}
