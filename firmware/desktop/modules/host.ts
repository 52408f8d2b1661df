/**
 * The XS end of the pipe to Node: `ask` blocks for an answer, `tell` does not, and what Node tells comes to the
 * listeners, each message in a turn of its own. A message is one line of JSON, then bytes. In a message to Node the line
 * is a list of requests, of which only the last is answered.
 */

export interface Message {
  // biome-ignore lint/suspicious/noExplicitAny: the two ends are written together, and each message has its own fields
  head: any;
  bytes: Uint8Array<ArrayBuffer>;
}

export type Listener = (message: Message) => void;

const NEWLINE = 0x0a;
const NOTHING = new Uint8Array(0);
const listeners = new Map<string, Listener>();
/** What waits for the next question. */
const untold: object[] = [];
/** The script has been evaluated, and has come to its turns. Before that there is no end of a turn. */
let hasTurns = false;

/** Asks Node, by the name of the request and what else its answer needs. @throws Error with what went wrong there */
export function ask(request: string, fields: object = {}, bytes: Uint8Array = NOTHING): Message {
  const requests = [...untold.splice(0), { request, ...fields }];
  const answer = decode(issueCommand(encode(requests, bytes)));
  if (answer.head.error !== undefined) throw new Error(answer.head.error);
  return answer;
}

/**
 * Tells Node what needs no answer. It goes with the next question, or with the end of the turn: each answer takes 0.1 ms,
 * and more on a busy computer.
 */
export function tell(request: string, fields: object): void {
  if (hasTurns) untold.push({ request, ...fields });
  else ask(request, fields);
}

/** Hears the events of one name. */
export function listen(event: string, listener: Listener): void {
  listeners.set(event, listener);
}

interface Turn {
  /** Node's, as the turn began. */
  ticks: number;
  /**
   * When that was by XS's own clock. It follows the computer's clock, which may be set; within a turn it tells how long the
   * turn has lasted.
   */
  began: number;
  /** Of the pins that were read before, as the turn began. */
  levels: { [pin: string]: number };
}

let turn: Turn = { ticks: ask('ticks').head.ticks, began: performance.now(), levels: {} };

/** Node's ticks, in milliseconds. */
export const ticks = (): number => turn.ticks + performance.now() - turn.began;

/** The level of a pin as this turn began: 0 or 1, or a voltage as a part of what can be measured. */
export const readPin = (pin: string): number => turn.levels[pin] ?? ask('pin.read', { pin }).head.level;

function encode(head: object, bytes: Uint8Array = NOTHING): ArrayBuffer {
  const line = new TextEncoder().encode(`${JSON.stringify(head)}\n`);
  if (bytes.length === 0) return line.buffer;
  const message = new Uint8Array(line.length + bytes.length);
  message.set(line);
  message.set(bytes, line.length);
  return message.buffer;
}

function decode(message: ArrayBuffer): Message {
  const bytes = new Uint8Array(message);
  const end = bytes.indexOf(NEWLINE);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  return { head, bytes: bytes.slice(end + 1) };
}

/** xsnap-worker asks for it at the end of a turn, when its promises are settled, and hands it to Node. */
const endOfTurn = {
  get result(): ArrayBuffer | undefined {
    return untold.length === 0 ? undefined : encode(untold.splice(0));
  },
};

/** What every turn of the program begins with: xsnap-worker calls it for each message of Node. */
function handleCommand(command: ArrayBuffer): object {
  try {
    const message = decode(command);
    hasTurns = true;
    turn = { ticks: message.head.ticks, began: performance.now(), levels: message.head.levels };
    listeners.get(message.head.event)?.(message);
  } catch (error) {
    report(error);
  }
  return endOfTurn;
}

/** An exception that was not caught: Node traces it and restarts the program. */
function report(error: unknown): void {
  const stack = error instanceof Error ? error.stack : undefined;
  ask('exception', { stack: stack ?? String(error) });
}

/** XS ends on a board when a rejected promise has no handler; xsnap-worker only says so to `console`, and goes on. */
const console = { error: (_message: string, error: unknown): void => report(error) };

Object.assign(globalThis, { handleCommand, console });

// XS has these on boards; xsnap-worker's build leaves them out.
Object.defineProperty(ArrayBuffer, 'fromString', {
  value: (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer,
});

Object.defineProperty(String, 'fromArrayBuffer', {
  value: (bytes: ArrayBuffer): string => new TextDecoder().decode(new Uint8Array(bytes)),
});
