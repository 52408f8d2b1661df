import type { ComponentChildren, JSX } from 'preact';
import { ALERTS_FRAGMENT, PHONE_FRAGMENT } from '../state/fragment.js';
import { say } from '../state/say.js';
import { Icon } from './icon.js';

interface BarProps {
  readonly title: string;
  /** Where the arrow leads; without it there is no arrow. */
  readonly back?: string | undefined;
  readonly children?: ComponentChildren;
}

/** The bar above every screen. */
export const Bar = ({ title, back, children }: BarProps): JSX.Element => (
  <header class="bar">
    {back !== undefined && (
      <a class="round" href={back} aria-label={say('bar.back')}>
        <Icon name="back" />
      </a>
    )}
    <h1>{title}</h1>
    {children}
  </header>
);

/** The ways to the alerts and to the settings of this phone. */
export const Links = (): JSX.Element => (
  <>
    <a class="round" href={ALERTS_FRAGMENT} aria-label={say('bar.alerts')}>
      <Icon name="bell" />
    </a>
    <a class="round" href={PHONE_FRAGMENT} aria-label={say('bar.settings')}>
      <Icon name="phone" />
    </a>
  </>
);
