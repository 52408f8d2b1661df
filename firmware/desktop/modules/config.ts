/** The SDK's `mc/config` module: what a manifest would give, from the command line instead. */

import { ask } from './host.js';

const config = ask('config').head.config;

export default config;
