/** The end that this process was asked for. It imports nothing, so that signals count from the first moment. */

const stop = new AbortController();

/** Aborts at the first SIGTERM, SIGINT or SIGHUP; its reason is the name of that signal. */
export const stopSignal: AbortSignal = stop.signal;

// The first process of a container has no default handlers: without these it ignores the signals.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => stop.abort(signal));
