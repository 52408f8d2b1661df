/** The bytes of a head that `parsedHead` counts already. */
export const USUAL_HEAD_BYTES = 1024;

/**
 * What the work for a client costs, in microseconds of one core. The server counts what it does instead of reading a clock,
 * so that the same requests always cost the same. Each figure was measured and rounded up.
 */
export const WORK = {
  /** An HTTP request whose head is parsed, also one that is refused or waits. */
  parsedHead: 8,
  /** A further byte of a head. */
  headByte: 0.06,
  /** A piece of a body, however short. */
  bodyPiece: 4,
  /** An HTTP request: its route is found, its answer written. */
  httpRequest: 9,
  /** An MQTT packet and its answer. */
  packet: 10,
  /** A WebSocket's message, in one fragment or a few, or its ping. */
  frame: 5,
  /** A CONNECT: its credentials are checked, and its session begins. */
  authentication: 200,
  /** A PIN that is checked or set: a slow hash, on a thread of its own. */
  pin: 50_000,
  /** A TLS handshake. */
  handshake: 1000,
  /** A topic filter of a SUBSCRIBE or an UNSUBSCRIBE. */
  filter: 2,
  /** A topic filter that is compared with a topic. */
  comparedFilter: 0.5,
  /** A byte of a request's JSON that is parsed and checked. Deeply nested JSON, which is refused, costs the most. */
  parsedByte: 0.04,
  /** A byte of a document that is written: made JSON, put into the journal, later into the file and the history. */
  writtenByte: 0.02,
  /** A byte of a document that a patch is merged into: it is parsed, changed and made JSON again. */
  patchedByte: 0.06,
  /** A packet id that is in use, where a free one is looked for. */
  usedId: 0.03,
  /** A change of a document that a connection of its device hears of, besides the bytes that it is sent. */
  heardChange: 0.5,
  /** A byte of an answer. */
  sentByte: 0.003,
  /** A key of a document that is compared with another one. */
  comparedKey: 0.3,
} as const;
