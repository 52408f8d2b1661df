import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import { Coded } from '../parts/coded.js';
import { Icon } from '../parts/icon.js';
import { FaultText } from '../parts/warnings.js';
import type { Fault } from '../state/fault.js';
import { tokenIn } from '../state/fragment.js';
import { say } from '../state/say.js';

interface PairingProps {
  /** Why the phone is no longer paired. */
  readonly fault: Fault | undefined;
  readonly onPair: (token: string) => void;
}

export function Pairing({ fault, onPair }: PairingProps): JSX.Element {
  const [isWrong, setWrong] = useState(false);
  const shown = isWrong ? 'no-token' : fault;
  const submit = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const token = tokenIn(String(new FormData(event.currentTarget).get('link')));
    setWrong(token === undefined);
    if (token !== undefined) onPair(token);
  };
  return (
    <main class="pairing">
      <Icon name="shield" />
      <h1>{say('pairing.title')}</h1>
      <p>
        <Coded text={say('pairing.how')} />
      </p>
      <form onSubmit={submit}>
        <label for="link">{say('pairing.paste')}</label>
        <input
          id="link"
          name="link"
          required
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          aria-describedby="pairing-fault"
          aria-invalid={isWrong}
        />
        <button type="submit" class="primary">
          {say('pairing.pair')}
        </button>
      </form>
      <p id="pairing-fault" class="fault" role="alert">
        {shown !== undefined && <FaultText fault={shown} />}
      </p>
    </main>
  );
}
