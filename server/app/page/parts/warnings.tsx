/** What a person must know: a toast below the screen, the text of a fault, and the problems of a panel. */

import type { ComponentChildren, JSX } from 'preact';
import { type Fault, WORDS, type Words } from '../state/fault.js';
import { Icon } from './icon.js';

interface ToastProps {
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** A message over the lower edge of the screen, until it is closed. */
export const Toast = ({ onClose, children }: ToastProps): JSX.Element => (
  <div class="toast">
    <Icon name="warning" />
    <p>{children}</p>
    <button type="button" onClick={onClose}>
      OK
    </button>
  </div>
);

export const FaultText = ({ fault }: { fault: Fault }): JSX.Element => (
  <>
    <strong>{WORDS[fault].what}</strong> {WORDS[fault].todo}
  </>
);

/** What the panel refused or cannot do. An empty one stays in the page, so that a screen reader says a new problem. */
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
