/** An exception of one listener is the process's to judge, and no reason to leave the others without their turn. */
export function throwLater(thrown: unknown): void {
  setImmediate(() => {
    throw thrown;
  });
}
