/**
 * Disks whose power is cut: an ext4 file system of each, in a file.
 *
 * The cut is `FS_IOC_SHUTDOWN` without a flush of the log. From then on nothing reaches the disk, and what was only in
 * memory is lost, as at the mount after a power cut. What the file system has sent to the disk counts as written: a
 * disk that forgets its own cache is not played.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'uvu';
import { skipping } from '../programs.js';

const DISK_BYTES = 1024 ** 3;

/** `_IOR('X', 125, __u32)` of Linux, with `EXT4_GOING_FLAGS_NOLOGFLUSH`. */
const CUT = `
for (@ARGV) { open my $root, "<", $_ or die "$_: $!"; push @roots, $root; }
my $flags = pack("L", 2);
for (@roots) { ioctl($_, 0x8004587d, $flags) or die $! }
`;

export interface Disks<Name extends string> {
  /** The directory in which the disk is mounted. */
  directoryOf(name: Name): string;
  /** Writes all that is only in memory. */
  sync(): void;
  /** Cuts the power of all of them, within a millisecond or so. */
  cut(): void;
  /** Mounts them again. No process may use them. */
  mountAgain(): void;
  remove(): void;
}

/** Mounts need root. */
const AS_ROOT = process.getuid?.() === 0 ? [] : ['sudo', '-n'];

function run(...command: string[]): void {
  const [file = '', ...args] = [...AS_ROOT, ...command];
  execFileSync(file, args, { stdio: 'pipe' });
}

export function makeDisks<Name extends string>(names: readonly Name[]): Disks<Name> {
  const directory = mkdtempSync(join(tmpdir(), 'twin-disks-'));
  // PostgreSQL runs as another user.
  run('chmod', '755', directory);
  const imageOf = (name: Name): string => join(directory, `${name}.ext4`);
  const directoryOf = (name: Name): string => join(directory, name);
  const mount = (name: Name) => run('mount', '-o', 'loop', imageOf(name), directoryOf(name));
  const unmount = (name: Name) => run('umount', directoryOf(name));
  for (const name of names) {
    writeFileSync(imageOf(name), '');
    truncateSync(imageOf(name), DISK_BYTES);
    run('mkfs.ext4', '-q', imageOf(name));
    mkdirSync(directoryOf(name));
    mount(name);
    run('chmod', '777', directoryOf(name));
  }
  return {
    directoryOf,
    sync: () => run('sync', '-f', ...names.map(directoryOf)),
    cut: () => run('perl', '-e', CUT, ...names.map(directoryOf)),
    mountAgain() {
      names.forEach(unmount);
      names.forEach(mount);
    },
    remove() {
      names.forEach(unmount);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Whether this user may mount file systems, which not every container allows. */
function canMount(): boolean {
  try {
    makeDisks(['probe']).remove();
    return true;
  } catch {
    return false;
  }
}

export const needsDisks = <T>(suite: Test<T>): ReturnType<typeof skipping<T>> =>
  canMount() ? suite : skipping('a user who may mount a file system', suite);
