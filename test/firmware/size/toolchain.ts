/** What this machine compiles programs for 32 bits with, and what runs them. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Toolchain {
  compiler: string[];
  /** Stands before the path of a program; empty where the kernel runs such programs itself. */
  emulator: string[];
}

/** What a machine lacks, with the Debian packages that have it. */
export interface Missing {
  missing: string;
}

/** The first is Debian's multilib compiler on amd64, the second its cross compiler, for arm64 as well. */
const COMPILERS = [['gcc', '-m32'], ['i686-linux-gnu-gcc']];
/** Where the cross compiler's C library lies; the emulator looks at `/` for what is not there. */
export const EMULATOR = ['qemu-i386', '-L', '/usr/i686-linux-gnu'];
const COMPILER_PACKAGE = process.arch === 'x64' ? 'gcc-multilib' : 'gcc-i686-linux-gnu';
const PROGRAM = '#include <stdio.h>\nint main(void) { return puts("runs") == EOF; }\n';

/** Whether a command ends well. */
export type Runs = (command: string[], input?: string) => boolean;

/** @param runs how a command is run; only a test gives another */
export function findToolchain(runs: Runs = runsHere): Toolchain | Missing {
  const directory = mkdtempSync(join(tmpdir(), 'toolchain-'));
  const program = join(directory, 'program');
  try {
    const compiler = COMPILERS.find((words) => runs([...words, '-xc', '-o', program, '-'], PROGRAM));
    if (compiler === undefined) return { missing: `a C compiler for 32 bits (${COMPILER_PACKAGE})` };
    const emulator = [[], EMULATOR].find((words) => runs([...words, program]));
    if (emulator === undefined)
      return { missing: 'a kernel that runs programs for 32 bits, or qemu-i386 (qemu-user)' };
    return { compiler, emulator };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function runsHere([program = '', ...args]: string[], input = ''): boolean {
  try {
    execFileSync(program, args, { input, stdio: ['pipe', 'ignore', 'ignore'] });
    return true;
  } catch {
    return false;
  }
}
