import type { JSX } from 'preact';
import type { Mode } from '../../../../shared/panel.js';
import { MODES } from '../state/contacts.js';
import { say } from '../state/say.js';

interface ModeChooserProps {
  readonly mode: Mode;
  readonly isBlocked: boolean;
  readonly onChoose: (mode: Mode) => void;
}

/** The mode that the panel is armed in, or will be. */
export const ModeChooser = ({ mode: chosen, isBlocked, onChoose }: ModeChooserProps): JSX.Element => (
  <fieldset class="modes" disabled={isBlocked}>
    <legend>{say('mode.title')}</legend>
    {MODES.map((mode) => (
      <label key={mode} title={say(`mode.${mode}.what`)}>
        <input type="radio" name="mode" checked={mode === chosen} onChange={() => onChoose(mode)} />
        <span>{say(`mode.${mode}`)}</span>
      </label>
    ))}
  </fieldset>
);
