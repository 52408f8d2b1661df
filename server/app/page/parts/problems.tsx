import type { JSX } from 'preact';
import type { Words } from '../state/fault.js';
import { Icon } from './icon.js';

/** What the panel refused or cannot do. It is there when it is empty, so that a screen reader says what comes. */
export const Problems = ({ problems }: { problems: readonly Words[] }): JSX.Element => (
  <div class="problems" role="status">
    {problems.map(({ what, todo }) => (
      <p key={what} class="problem">
        <Icon name="warning" />
        <span>
          <strong>{what}</strong> {todo}
        </span>
      </p>
    ))}
  </div>
);
