/** The signal to stop this process. This file imports nothing, so that a signal counts from the first moment. */

const stop = new AbortController();

/** Aborts at the first SIGTERM, SIGINT or SIGHUP. Its reason is the name of that signal. */
export const stopSignal: AbortSignal = stop.signal;

// The first process of a container has no default handlers: without these it ignores the signals.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop.abort(signal));
