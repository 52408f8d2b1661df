import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { SettingsWork } from '../client/settings-work.js';
import { say } from '../state/say.js';
import { type Token, tokenName, tokenText } from '../state/settings.js';
import { SureButton } from './sure-button.js';

interface PhonesProps {
  readonly work: SettingsWork | undefined;
  /** The server's clock. */
  readonly now: number;
}

/** The phones that are paired, as far as this one may see them. Each can be ended. */
export function Phones({ work, now }: PhonesProps): JSX.Element {
  const [tokens, setTokens] = useState<readonly Token[] | undefined>(undefined);
  const [isRefused, setRefused] = useState(false);
  const read = () => work?.tokens().then(setTokens);
  useEffect(() => {
    read();
  }, [work]);
  const end = async (id: string, isOwn: boolean) => {
    const outcome = await work?.end(id, isOwn);
    setRefused(outcome === 'refused');
    if (outcome === 'ended' && !isOwn) await read();
  };
  return (
    <section>
      <h2>{say('phones.title')}</h2>
      <ul class="alerts">
        {tokens?.map((token, index) => (
          <li key={token.id}>
            <p>
              <strong>
                <bdi>{tokenName(token)}</bdi>
              </strong>{' '}
              {index === 0 && say('phones.own')}
              <br />
              {tokenText(token, now)}
            </p>
            <SureButton
              text={say('phones.end')}
              about={tokenName(token)}
              onPress={() => end(token.id, index === 0)}
            />
          </li>
        ))}
      </ul>
      <p role="status">{isRefused && say('phones.last-owner')}</p>
    </section>
  );
}
