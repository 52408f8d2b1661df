/** The app's icons: outlines of 24 by 24, drawn in the colour of the text beside them. */

import type { JSX } from 'preact';
import type { Kind } from '../state/happenings.js';
import type { Mood } from '../state/headline.js';

const SHIELD = 'M12 3l7 3v5c0 4.5-2.9 8.3-7 10-4.1-1.7-7-5.5-7-10V6z';
const FRAME = 'M4 21h16M6 21V4a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v17';
const WAVES = 'M2.5 9a14 14 0 0 1 19 0M5.8 12.6a9 9 0 0 1 12.4 0M9.2 16a4 4 0 0 1 5.6 0M12 19.5h.01';
const BELL = 'M6 17h12l-1.5-2.5V11a4.5 4.5 0 0 0-9 0v3.5zM10.5 20a1.6 1.6 0 0 0 3 0';

const PATHS = {
  shield: SHIELD,
  'shield-check': `${SHIELD}M9 11.8l2.2 2.2 3.8-4`,
  'shield-off': `${SHIELD}M4 4l16 16`,
  bell: `${BELL}M3.5 9A8 8 0 0 1 6 4.5M20.5 9A8 8 0 0 0 18 4.5`,
  'bell-off': `${BELL}M4 4l16 16`,
  'door-closed': `${FRAME}M14.5 12h.01`,
  'door-open': `${FRAME}M6 3.5l7 3V21M10.5 13h.01`,
  contact: WAVES,
  'no-contact': `${WAVES}M4 4l16 16`,
  unknown:
    'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M9.5 9.5a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.9-1.1 1.8M12 16.5h.01',
  leave: 'M10 4H5v16h5M9 12h12M17 8l4 4-4 4',
  enter: 'M14 4h5v16h-5M3 12h12M11 8l4 4-4 4',
  again: 'M20 12a8 8 0 1 1-2.4-5.7M20 3v4h-4',
  back: 'M15 5l-7 7 7 7',
  next: 'M9 5l7 7-7 7',
  phone: 'M8 2.5h8a1 1 0 0 1 1 1v17a1 1 0 0 1-1 1H8a1 1 0 0 1-1-1v-17a1 1 0 0 1 1-1M11 18.5h2',
  warning: 'M12 3.5L22 20.5H2zM12 10v4.5M12 17.5h.01',
} as const;

type IconName = keyof typeof PATHS;

export const MOOD_ICONS: Record<Mood, IconName> = {
  armed: 'shield-check',
  arming: 'leave',
  pending: 'enter',
  disarmed: 'shield',
  alarm: 'bell',
  unknown: 'unknown',
};

export const KIND_ICONS: Record<Kind, IconName> = {
  armed: 'shield-check',
  disarmed: 'shield-off',
  opened: 'door-open',
  closed: 'door-closed',
  rang: 'bell',
  silent: 'bell-off',
  lost: 'no-contact',
  back: 'contact',
};

/** A screen reader leaves it out, because a word stands beside it. */
export const Icon = ({ name }: { name: IconName }): JSX.Element => (
  <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
    <path d={PATHS[name]} />
  </svg>
);
