/** How long the app waits, for everything that it does again. All in milliseconds. */
export const PAUSES = {
  /** After a try that the server did not answer: evenly from none up to the first, then up to twice as long, up to the second. */
  away: { backOffMin: 500, backOffMax: 15_000 },
  /** The longest of those while something rings. */
  awayRinging: 2000,
  /** A server that has not answered after so long counts as away. */
  answer: 10_000,
  /** A connection on which nothing came for so long is dead. The server sends something every 15 s. */
  silence: 35_000,
  /** A try that is older than this is begun anew when the phone wakes or a person presses "Try now". */
  stale: 1000,
  /** Between two looks at the list: while it is shown, while one of several panels is, and while the only one is. */
  looks: { list: 5000, others: 15_000, alone: 60_000 },
} as const;
