import type { JSX, TargetedSubmitEvent } from 'preact';
import type { AppState } from '../state/app.js';
import { say } from '../state/say.js';
import { PinField } from './disarm.js';

interface PinSettingsProps {
  readonly state: AppState;
  readonly onSet: (pin: string | null, current: string | undefined) => void;
}

/** The PIN that this phone needs to disarm. */
export function PinSettings({ state, onSet }: PinSettingsProps): JSX.Element {
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const pinIn = (name: string): string | undefined => form.get(name)?.toString() || undefined;
    onSet(pinIn('new') ?? null, pinIn('now'));
    event.currentTarget.reset();
  };
  return (
    <section>
      <h2>{say('pin.title')}</h2>
      <p>{say('pin.what')}</p>
      {state.hasPin && (
        <form class="pin" onSubmit={submit}>
          <p>{say('pin.has')}</p>
          <PinField name="now" text={say('pin.now')} />
          <button type="submit" class="plain">
            {say('pin.remove')}
          </button>
        </form>
      )}
      {!state.hasPin && (
        <form class="pin" onSubmit={submit}>
          <PinField name="new" text={say('pin.new')} />
          <button type="submit" class="plain">
            {say('pin.set')}
          </button>
        </form>
      )}
    </section>
  );
}
