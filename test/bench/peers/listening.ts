import type { Address } from '../../../server/config.js';
import type { Program } from '../program.js';

/** Where a peer that prints its address listens. */
export const listening = (peer: Program): Promise<Address> =>
  peer.find((output) => {
    if (!output.includes('\n')) return undefined;
    const { address, port } = JSON.parse(output);
    return { host: address, port };
  });
