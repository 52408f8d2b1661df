import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { say } from '../state/say.js';

interface SureButtonProps {
  readonly text: string;
  /** What it is about, for a screen reader. */
  readonly about: string;
  readonly onPress: () => void;
}

/** A button for what cannot be undone. It takes a second press. */
export function SureButton({ text, about, onPress }: SureButtonProps): JSX.Element {
  const [isAsked, setAsked] = useState(false);
  const shown = isAsked ? say('sure') : text;
  return (
    <button
      type="button"
      class={isAsked ? 'plain sure-button' : 'plain'}
      aria-label={say('mute.button', { action: shown, panel: about })}
      onClick={() => (isAsked ? onPress() : setAsked(true))}
      onBlur={() => setAsked(false)}
    >
      {shown}
    </button>
  );
}
