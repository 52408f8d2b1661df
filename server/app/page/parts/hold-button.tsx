import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { say } from '../state/say.js';

/** As long as the animation in `hold.css`. */
const HOLD_MS = 500;
/** A person who cannot hold the button has so long to confirm a press. */
const CONFIRM_MS = 10_000;

interface HoldButtonProps {
  readonly class: string;
  readonly isBlocked: boolean;
  readonly describedBy?: string;
  /** It was held for long enough, or a press was confirmed. */
  readonly onHeld: () => void;
  readonly children: ComponentChildren;
}

/**
 * A button that does nothing by mistake. It is held for half a second, with a finger, Space or Enter; to let go earlier, or
 * to move away, takes it back. A short press, which is all that some people and some switches can do, shows a second button
 * elsewhere that confirms it, so a double press does nothing either.
 */
export function HoldButton(props: HoldButtonProps): JSX.Element {
  const { isBlocked, describedBy, onHeld, children } = props;
  const [isHeld, setHeld] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const isDone = useRef(false);
  const done = useRef(onHeld);
  done.current = onHeld;
  useEffect(() => {
    if (!isHeld) return;
    const timer = setTimeout(() => {
      isDone.current = true;
      setHeld(false);
      setAsking(false);
      done.current();
    }, HOLD_MS);
    return () => clearTimeout(timer);
  }, [isHeld]);
  useEffect(() => {
    if (!isAsking) return;
    const timer = setTimeout(() => setAsking(false), CONFIRM_MS);
    return () => clearTimeout(timer);
  }, [isAsking]);
  const begin = () => {
    isDone.current = false;
    if (!isBlocked) setHeld(true);
  };
  const letGo = () => setHeld(false);
  const onKey = (event: KeyboardEvent) => {
    if (event.key !== ' ' && event.key !== 'Enter') return;
    // The browser would make a click of it.
    event.preventDefault();
    if (event.type === 'keydown' && !event.repeat) begin();
    if (event.type === 'keyup') end();
  };
  const end = () => {
    letGo();
    if (!isDone.current && !isBlocked) setAsking(true);
  };
  return (
    <>
      <button
        type="button"
        data-hold
        class={`${props.class} hold${isHeld ? ' is-held' : ''}`}
        aria-disabled={isBlocked}
        aria-describedby={describedBy}
        onPointerDown={(event) => {
          // A finger would hold it wherever it moves.
          event.currentTarget.releasePointerCapture(event.pointerId);
          if (event.button === 0) begin();
        }}
        onPointerLeave={letGo}
        onPointerCancel={letGo}
        onKeyDown={onKey}
        onKeyUp={onKey}
        onBlur={letGo}
        onClick={end}
        onContextMenu={(event) => event.preventDefault()}
      >
        {children}
      </button>
      {isAsking && (
        <p class="confirm" role="status">
          {say('hold.hint')}
          <button
            type="button"
            class="plain"
            onClick={() => {
              setAsking(false);
              onHeld();
            }}
          >
            {say('hold.confirm')}
          </button>
        </p>
      )}
    </>
  );
}
