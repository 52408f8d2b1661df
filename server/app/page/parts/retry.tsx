import type { JSX } from 'preact';
import type { Link } from '../state/app.js';
import { retryText } from '../state/headline.js';
import { say } from '../state/say.js';

interface RetryProps {
  readonly link: Link;
  /** This phone's clock. */
  readonly now: number;
  readonly onRetry: () => void;
}

/** Says that the app goes on trying to reach the server, and lets a person try at once. */
export const Retry = ({ link, now, onRetry }: RetryProps): JSX.Element | null =>
  link.kind === 'lost' ? (
    <p class="retry">
      <span>{retryText(link, now)}</span>
      <button type="button" class="plain" onClick={onRetry}>
        {say('gone.try-now')}
      </button>
    </p>
  ) : null;
