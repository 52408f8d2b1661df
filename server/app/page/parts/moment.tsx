import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { agoText, exactText } from '../state/time-text.js';

interface MomentProps {
  /** What happened then. */
  readonly what: string;
  /** Milliseconds since 1970, as `now` is. */
  readonly at: number;
  readonly now: number;
}

/** Says how long ago something was. A touch shows the exact time. */
export function Moment({ what, at, now }: MomentProps): JSX.Element {
  const [isExact, setExact] = useState(false);
  return (
    <button type="button" class="moment" onClick={() => setExact(!isExact)}>
      {what} <time dateTime={new Date(at).toISOString()}>{isExact ? exactText(at) : agoText(at, now)}</time>
    </button>
  );
}
