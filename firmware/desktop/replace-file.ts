import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Replaces a file, which its owner alone can read, so that a crash at any instant leaves the old or the new content. Its
 * directory must exist. @throws what the file system throws; the file is then as it was
 */
export function replaceFile(path: string, content: string): void {
  const temporary = `${path}.tmp`;
  try {
    withOpen(temporary, 'w', (file) => {
      writeFileSync(file, content);
      fsyncSync(file);
    });
    renameSync(temporary, path);
  } catch (error) {
    // Half of a file only takes room on a full disk.
    rmSync(temporary, { force: true });
    throw error;
  }
  withOpen(dirname(path), 'r', fsyncSync);
}

/** @returns what the action returns */
export function withOpen<T>(path: string, flags: string | number, action: (file: number) => T): T {
  const file = openSync(path, flags, 0o600);
  try {
    return action(file);
  } finally {
    closeSync(file);
  }
}
