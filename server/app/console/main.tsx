/** A web client for tests by hand: connects as a device, by MQTT over WebSocket. */

import { type JSX, render } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { apiBase } from '../../../shared/rest.js';
import { Api, Failed } from '../page/client/api.js';
import { recall } from '../page/client/kept.js';
import { deviceInFragment } from '../page/state/fragment.js';
import { en } from '../page/words/en.js';
import { type Connection, type Credentials, connect } from './connection.js';
import { DeviceForm } from './device-form.js';
import { type Entry, withEntry } from './entries.js';
import { Log } from './log.js';
import { MessageForm } from './message-form.js';
import { Subscriptions } from './subscriptions.js';

const base = apiBase('', document.documentElement.dataset.region ?? '');
const kept = recall(localStorage, Date.now());

/** Uses the token with which this browser was paired, unless that is known not to be an owner's. */
const makeDevice =
  kept === undefined || (kept.role ?? 'owner') !== 'owner'
    ? undefined
    : async (): Promise<Credentials> => {
        try {
          return await new Api(base, kept.token, () => undefined).createDevice('console');
        } catch (error) {
          throw error instanceof Failed ? new Error(en[`fault.${error.fault}.what`]) : error;
        }
      };

function Console(): JSX.Element {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [filters, setFilters] = useState<readonly string[]>([]);
  const [isConnected, setConnected] = useState(false);
  const connection = useRef<Connection | undefined>(undefined);
  const onEntry = (entry: Entry): void => setEntries((before) => withEntry(before, entry));
  return (
    <>
      <header class="bar">
        <a class="plain" href="/">
          Back to the app
        </a>
        <h1>MQTT console</h1>
        <p role="status">{isConnected ? 'connected' : 'not connected'}</p>
      </header>
      <main class="console">
        <div class="forms">
          <DeviceForm
            deviceId={deviceInFragment(location.hash) ?? ''}
            isConnected={isConnected}
            makeDevice={makeDevice}
            onConnect={(credentials) => {
              connection.current?.close();
              connection.current = connect(credentials, {
                onEntry,
                onConnected: setConnected,
                onSubscriptions: setFilters,
              });
            }}
            onDisconnect={() => connection.current?.close()}
          />
          <Subscriptions
            filters={filters}
            onSubscribe={(filter) => connection.current?.subscribe(filter)}
            onUnsubscribe={(filter) => connection.current?.unsubscribe(filter)}
          />
          <MessageForm onPublish={(message, qos) => connection.current?.publish(message, qos)} />
        </div>
        <Log entries={entries} onClear={() => setEntries([])} />
      </main>
    </>
  );
}

const root = document.getElementById('console');
if (root === null) throw new Error('the page has no place for the console');
render(<Console />, root);
// It says what to do when the console does not start, so it goes when the console is drawn, and not before.
document.getElementById('loading')?.remove();
