import type { Writable } from 'node:stream';
import type { KnownState, TwinEvent } from './known-state.js';
import type { RestLimits } from './limits.js';

export type EventLimits = Pick<RestLimits, 'eventsBufferBytes' | 'eventsHeartbeatMs'>;

/** One stream of events to one reader, in their order. A reader that does not keep up is dropped. */
export class EventStream {
  readonly #twinId: string;
  readonly #known: KnownState;
  readonly #limits: EventLimits;
  #out: Writable | undefined;
  #ended = false;
  #heartbeat: NodeJS.Timeout | undefined;
  /** What the reader has had no room for: the state of the beginning, and the changes after it. */
  #state: TwinEvent[] = [];
  #changes: TwinEvent[] = [];
  #changesBytes = 0;
  #full = false;
  #fullAtLastBeat = false;

  /** @param known what the reader has got from an earlier stream */
  constructor(twinId: string, known: KnownState, limits: EventLimits) {
    this.#twinId = twinId;
    this.#known = known;
    this.#limits = limits;
  }

  /** Whether the stream has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends a state, however long the reader takes. Its documents are the twin's, so they cost no memory of their own. */
  begin(out: Writable, state: readonly TwinEvent[]): void {
    this.#out = out;
    this.#state = [...state];
    out.on('drain', () => {
      this.#full = false;
      this.#fullAtLastBeat = false;
      this.#flush();
    });
    this.#heartbeat = setInterval(() => this.#beat(), this.#limits.eventsHeartbeatMs);
    this.#flush();
  }

  /** Sends a change. One from before the beginning is in the state already. */
  tell(event: TwinEvent): void {
    if (this.#out === undefined) return;
    this.#changes.push(event);
    this.#changesBytes += bytesOf(event);
    this.#flush();
    if (this.#changesBytes > this.#limits.eventsBufferBytes) this.#drop();
  }

  /** Ends the answer, without the rest for a reader that has not kept up. */
  end(): void {
    const out = this.#out;
    this.close();
    if (this.#full) out?.destroy();
    else out?.end();
  }

  /** The stream has ended: drops what waits. */
  close(): void {
    this.#ended = true;
    clearInterval(this.#heartbeat);
    this.#out = undefined;
    this.#state = [];
    this.#changes = [];
  }

  #drop(): void {
    const out = this.#out;
    this.close();
    out?.destroy();
  }

  #flush(): void {
    while (!this.#full) {
      const event = this.#state.shift() ?? this.#nextChange();
      if (event === undefined) return;
      this.#known.take(event);
      this.#write(`event: ${event.event}\nid: ${this.#known.id}\ndata: ${dataOf(event, this.#twinId)}\n\n`);
    }
  }

  #nextChange(): TwinEvent | undefined {
    const event = this.#changes.shift();
    if (event !== undefined) this.#changesBytes -= bytesOf(event);
    return event;
  }

  #write(text: string): void {
    if (this.#out?.write(text) === false) this.#full = true;
  }

  /** A comment keeps the connection open. A reader without room since the last comment has stopped reading. */
  #beat(): void {
    if (this.#full && this.#fullAtLastBeat) return this.#drop();
    this.#fullAtLastBeat = this.#full;
    if (!this.#full) this.#write(':\n\n');
  }
}

// What an event takes besides its document, roughly.
const EVENT_OVERHEAD = 256;

const bytesOf = (event: TwinEvent): number =>
  EVENT_OVERHEAD + (event.event === 'document' ? event.document.data.length : 0);

/** One line: compact JSON has no line break. */
function dataOf(event: TwinEvent, twin_id: string): string {
  switch (event.event) {
    case 'twin':
      return JSON.stringify({
        twin_id,
        documents: event.documents.map(({ name }) => ({ document_name: name })),
      });
    case 'document':
      return event.document.json;
    case 'document_deleted':
      return JSON.stringify({ twin_id, document_name: event.name });
    case 'presence': {
      const { isConnected, at } = event.state;
      return JSON.stringify({ device_id: twin_id, is_connected: isConnected, at });
    }
  }
}
