import type { ComponentChildren, JSX } from 'preact';
import { type Fault, WORDS } from '../state/fault.js';
import { Icon } from './icon.js';

interface ToastProps {
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** Something to know, below whatever is shown, until it is closed. */
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
