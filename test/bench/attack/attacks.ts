/** Every attack, by its name. */

import { INBAND_ATTACKS } from './inband.js';
import { REST_ATTACKS } from './rest.js';
import type { Attack } from './scene.js';

export const ATTACKS: Readonly<Record<string, Attack>> = { ...INBAND_ATTACKS, ...REST_ATTACKS };
