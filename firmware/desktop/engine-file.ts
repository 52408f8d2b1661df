import { join } from 'node:path';

const PLATFORMS: Record<string, string> = { linux: 'lin', darwin: 'mac' };

/** Where npm builds the XS engine. @param root of the package `@agoric/xsnap` @throws Error on another system */
export function engineFile(root: string): string {
  const platform = PLATFORMS[process.platform];
  if (platform === undefined)
    throw new Error(`XS on the desktop runs on Linux and macOS, not on ${process.platform}`);
  return join(root, `xsnap-native/xsnap/build/bin/${platform}/release/xsnap-worker`);
}
