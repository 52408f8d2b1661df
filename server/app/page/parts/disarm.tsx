import type { ComponentChildren, JSX, TargetedEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Order } from '../../../../shared/rest.js';
import type { AppState } from '../state/app.js';
import type { Panel } from '../state/panel.js';
import { say } from '../state/say.js';
import { HoldButton } from './hold-button.js';

interface DisarmProps {
  readonly class: string;
  readonly state: AppState;
  readonly panel: Panel;
  readonly isBlocked: boolean;
  readonly onOrder: (order: Order) => void;
  readonly onWithdraw: () => void;
  readonly children: ComponentChildren;
}

/** Disarms a panel: the button that is held, the PIN where this phone has one, and what waits for the server. */
export function Disarm(props: DisarmProps): JSX.Element {
  const { state, panel, isBlocked, onOrder, onWithdraw, children } = props;
  const [isAsking, setAsking] = useState(false);
  const kept = state.kept[panel.id];
  const disarm = () => (state.hasPin ? setAsking(true) : onOrder({ armed: false }));
  const submit = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    setAsking(false);
    onOrder({ armed: false, pin: String(new FormData(event.currentTarget).get('pin')) });
  };
  return (
    <>
      {isAsking ? (
        <form class="pin" onSubmit={submit}>
          <PinField name="pin" text={say('pin.ask')} isFirst />
          <button type="submit" class="primary">
            {say('disarm')}
          </button>
          <button type="button" class="plain" onClick={() => setAsking(false)}>
            {say('cancel')}
          </button>
        </form>
      ) : (
        <HoldButton
          class={props.class}
          isBlocked={isBlocked || kept !== undefined}
          describedBy="wish"
          onHeld={disarm}
        >
          {children}
        </HoldButton>
      )}
      {kept !== undefined && (
        <p class="kept" role="status">
          <span>
            {say('kept.waits', { seconds: Math.max(0, Math.ceil((kept.until - state.now) / 1000)) })}
          </span>
          <button type="button" class="plain" onClick={onWithdraw}>
            {say('kept.withdraw')}
          </button>
        </p>
      )}
    </>
  );
}

interface PinFieldProps {
  readonly name: string;
  readonly text: string;
  /** The person types it next. */
  readonly isFirst?: boolean;
}

/** Shows no digits, and the phone does not offer to keep them. */
export const PinField = ({ name, text, isFirst = false }: PinFieldProps): JSX.Element => {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (isFirst) input.current?.focus();
  }, [isFirst]);
  return (
    <label>
      {text}
      <input
        ref={input}
        name={name}
        type="password"
        inputMode="numeric"
        autocomplete="off"
        required
        minLength={4}
        maxLength={12}
        pattern="[0-9]*"
      />
    </label>
  );
};
