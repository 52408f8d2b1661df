/** Preloaded into the server, this makes some of its handlers throw or reject: none that is right does. */

import { Devices } from '../../server/devices/devices.js';
import { Twins } from '../../server/twins/twins.js';

const fault = (): never => {
  throw new Error('a secret of ours');
};

Twins.prototype.list = fault;
Twins.prototype.delete = fault;
Devices.prototype.list = async () => fault();
