import type { JSX } from 'preact';
import { type Entry, formatted } from './entries.js';

interface LogProps {
  readonly entries: readonly Entry[];
  readonly onClear: () => void;
}

/** Every message and event, the newest first. */
export const Log = ({ entries, onClear }: LogProps): JSX.Element => (
  <section class="card log">
    <div class="row">
      <h2>Messages</h2>
      <button type="button" class="plain" onClick={onClear}>
        Clear
      </button>
    </div>
    <ol aria-live="polite">
      {entries.map((entry, index) => (
        <li key={entries.length - index} class={entry.kind}>
          <time dateTime={new Date(entry.at).toISOString()}>{timeText(entry.at)}</time>
          <span class="kind">{entry.kind}</span>
          {entry.kind === 'event' ? (
            <span>{entry.text}</span>
          ) : (
            <>
              <code>{entry.topic}</code>
              <pre>{formatted(entry.payload)}</pre>
            </>
          )}
        </li>
      ))}
    </ol>
  </section>
);

const timeText = (at: number): string =>
  new Intl.DateTimeFormat(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
  }).format(at);
