import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { Credentials } from './connection.js';

interface DeviceFormProps {
  /** The device that the console was opened for. */
  readonly deviceId: string;
  readonly isConnected: boolean;
  /** Makes a device for tests; undefined when this phone may not. */
  readonly makeDevice: (() => Promise<Credentials>) | undefined;
  readonly onConnect: (credentials: Credentials) => void;
  readonly onDisconnect: () => void;
}

export function DeviceForm(props: DeviceFormProps): JSX.Element {
  const { isConnected, makeDevice, onConnect, onDisconnect } = props;
  const [{ id, password }, setCredentials] = useState<Credentials>({ id: props.deviceId, password: '' });
  const [fault, setFault] = useState('');
  const submit = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (isConnected) onDisconnect();
    else onConnect({ id: id.trim(), password: password.trim() });
  };
  const make = (): void => {
    makeDevice?.().then(setCredentials, (error: Error) => setFault(error.message));
  };
  return (
    <form class="card" onSubmit={submit}>
      <h2>Device</h2>
      <label>
        Device id
        <input
          name="id"
          value={id}
          required
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setCredentials({ id: event.currentTarget.value, password })}
        />
      </label>
      <label>
        Password
        <input
          name="password"
          type="password"
          value={password}
          required
          autocomplete="off"
          onInput={(event) => setCredentials({ id, password: event.currentTarget.value })}
        />
      </label>
      <div class="row">
        <button type="submit" class="primary">
          {isConnected ? 'Disconnect' : 'Connect'}
        </button>
        {makeDevice !== undefined && (
          <button type="button" class="plain" onClick={make}>
            New device for tests
          </button>
        )}
      </div>
      <p class="quiet">
        A password is shown once, when its device is made. A device that may have one connection only loses
        its own when the console connects as it: take one for tests.
      </p>
      <p class="fault" role="alert">
        {fault}
      </p>
    </form>
  );
}
