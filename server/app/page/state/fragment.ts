/** Builds and reads the part of an address behind the `#`. Browsers do not send it to a server. Pure. */

import { UUID } from '../../../../shared/document.js';

const IN_FRAGMENT = new RegExp(`^#token=(${UUID})$`, 'i');
const PANEL = new RegExp(`^#panel=(${UUID})$`, 'i');
const DEVICE = new RegExp(`^#device=(${UUID})$`, 'i');
const PASTED = new RegExp(`^(?:.*#token=)?(${UUID})$`, 'i');

/** The token in an address's fragment, or undefined. */
export const tokenInFragment = (fragment: string): string | undefined =>
  IN_FRAGMENT.exec(fragment)?.[1]?.toLowerCase();

/** The token in a pasted text, which is a whole link or the code alone; otherwise undefined. */
export const tokenIn = (pasted: string): string | undefined => PASTED.exec(pasted.trim())?.[1]?.toLowerCase();

/** The address of a panel's screen. */
export const panelFragment = (id: string): string => `#panel=${id}`;

/** The panel in an address's fragment, or undefined. */
export const panelInFragment = (fragment: string): string | undefined =>
  PANEL.exec(fragment)?.[1]?.toLowerCase();

/** The address of the console for a device. */
export const consoleAddress = (id: string | undefined): string =>
  id === undefined ? '/console' : `/console#device=${id}`;

/** The device in the fragment of the console's address, or undefined. */
export const deviceInFragment = (fragment: string): string | undefined =>
  DEVICE.exec(fragment)?.[1]?.toLowerCase();

/** The address of the settings of this phone. */
export const PHONE_FRAGMENT = '#phone';

/** The address of the list of alerts. */
export const ALERTS_FRAGMENT = '#alerts';
