/** How a core was used while something was measured on it, read from `/proc` [proc(5)]. */

import { readFileSync } from 'node:fs';

export interface CoreUse {
  /** The share of the core that the measured process and its children used, all their threads: 1 is all of it. */
  subject: number;
  /** What other programs took of the core. A figure with much of it says little. */
  others?: number;
}

/** The clock ticks of `/proc`; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Processor time that a process has used so far, in seconds. */
export function processSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Processor time that a process, its children and those that have ended have used so far, in seconds. */
export function familySeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const times = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15);
  const own = times.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
  return own + childrenSeconds(pid);
}

/** The same of the children that it has not waited for yet, without the process itself. */
export const childrenSeconds = (pid: number): number =>
  childrenOf(pid).reduce((sum, child) => sum + familySecondsIfAlive(child), 0);

/** The processes that the main thread of a process has started and that it has not waited for yet. */
export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** 0 for a process that has ended meanwhile; its parent has its time soon. */
function familySecondsIfAlive(pid: number): number {
  try {
    return familySeconds(pid);
  } catch {
    return 0;
  }
}

/** Processor time that all processes have used on a core, and what a hypervisor took; without interrupts. */
function coreSeconds(core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '';
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = line.split(' ').map(Number);
  return (user + nice + system + steal) / TICKS_PER_SECOND;
}

/**
 * Begins to watch a process with its children, and their core, if they have one to themselves; the function that it gives
 * tells what there was.
 */
export function watchCore(pid: number, core: number | undefined): () => CoreUse {
  const began = performance.now();
  const ownBegan = familySeconds(pid);
  const allBegan = core === undefined ? 0 : coreSeconds(core);
  return () => {
    const seconds = (performance.now() - began) / 1000;
    const own = familySeconds(pid) - ownBegan;
    if (core === undefined) return { subject: own / seconds };
    const others = Math.max(0, coreSeconds(core) - allBegan - own);
    return { subject: own / seconds, others: others / seconds };
  };
}

/**
 * Begins to watch what other programs take of some cores. The function that it gives tells their share of one core, summed
 * over all of these: 0.1 is a tenth of one core. It gives undefined where it is not known which cores are used.
 * @param ownSeconds tells the processor time so far that is not that of others
 */
export function watchOthers(
  ownSeconds: () => number,
  cores: readonly number[] | undefined,
): () => number | undefined {
  if (cores === undefined) return () => undefined;
  const others = () => cores.reduce((sum, core) => sum + coreSeconds(core), -ownSeconds());
  const began = performance.now();
  const othersBegan = others();
  return () => Math.max(0, others() - othersBegan) / ((performance.now() - began) / 1000);
}
