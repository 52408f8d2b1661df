/** What a person must know: a toast below the screen, the text of a fault, and the problems of a panel. */

import type { ComponentChildren, JSX } from 'preact';
import { type Fault, type Words, wordsOf } from '../state/fault.js';
import { say } from '../state/say.js';
import { Coded } from './coded.js';
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
      {say('ok')}
    </button>
  </div>
);

export const FaultText = ({ fault }: { fault: Fault }): JSX.Element => <Sentence {...wordsOf(fault)} />;

const Sentence = ({ what, todo }: Words): JSX.Element => (
  <>
    <strong>{what}</strong> <Coded text={todo} />
  </>
);

/** What the panel refused or cannot do. An empty one stays in the page, so that a screen reader says a new problem. */
export const Problems = ({ problems }: { problems: readonly Words[] }): JSX.Element => (
  <div class="problems" role="status">
    {problems.map((words) => (
      <p key={words.what} class="problem">
        <Icon name="warning" />
        <span>
          <Sentence {...words} />
        </span>
      </p>
    ))}
  </div>
);
