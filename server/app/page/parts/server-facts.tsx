import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { SettingsWork } from '../client/settings-work.js';
import { say } from '../state/say.js';
import type { ServerFacts } from '../state/settings.js';
import { Icon } from './icon.js';

/** The server's name, addresses and version, and what an owner should know of it. */
export function Server({ work }: { work: SettingsWork | undefined }): JSX.Element {
  const [facts, setFacts] = useState<ServerFacts | undefined>(undefined);
  useEffect(() => {
    work?.server().then(setFacts);
  }, [work]);
  return (
    <section>
      <h2>{say('server.title')}</h2>
      <dl class="facts-table">
        <dt>{say('server.name')}</dt>
        <dd>{location.hostname}</dd>
        <dt>{say('server.addresses')}</dt>
        {(facts?.app_urls ?? [location.origin]).map((url) => (
          <dd key={url}>{url}</dd>
        ))}
        <dt>{say('server.version')}</dt>
        <dd>{facts?.version ?? '…'}</dd>
      </dl>
      {facts?.warnings.map((warning) => (
        <p key={warning} class="problem">
          <Icon name="warning" />
          {say(`server.warning.${warning}`)}
        </p>
      ))}
    </section>
  );
}
