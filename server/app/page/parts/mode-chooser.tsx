import type { JSX } from 'preact';
import type { Mode } from '../../../../shared/panel.js';
import { MODES } from '../state/contacts.js';

interface ModeChooserProps {
  readonly mode: Mode;
  readonly isBlocked: boolean;
  readonly onChoose: (mode: Mode) => void;
}

/** The mode that the panel is armed in, or will be. */
export const ModeChooser = ({ mode: chosen, isBlocked, onChoose }: ModeChooserProps): JSX.Element => (
  <fieldset class="modes" disabled={isBlocked}>
    <legend>Mode</legend>
    {MODES.map(({ mode, name, what }) => (
      <label key={mode} title={what}>
        <input type="radio" name="mode" checked={mode === chosen} onChange={() => onChoose(mode)} />
        <span>{name}</span>
      </label>
    ))}
  </fieldset>
);
