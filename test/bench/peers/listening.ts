import type { Address } from '../../../server/config.js';
import type { Program } from '../program.js';

/** Where a peer that prints its address listens. */
export const listening = (peer: Program): Promise<Address> =>
  peer.line((line) => {
    const { address, port } = JSON.parse(line);
    return { host: address, port };
  });
