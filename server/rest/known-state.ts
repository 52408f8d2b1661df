import { isDocumentName, LIMITS } from '../../shared/document.js';
import type { PresenceState } from '../devices/presence.js';
import type { Document } from '../twins/document.js';

/** An event of a stream. */
export type TwinEvent =
  | { readonly event: 'twin'; readonly documents: readonly Document[] }
  | { readonly event: 'document'; readonly document: Document }
  | { readonly event: 'document_deleted'; readonly name: string }
  | { readonly event: 'presence'; readonly state: PresenceState };

// A request whose headers are longer than the server takes could not resume at all.
const LONGEST_ID = 4096;

/**
 * What the reader of a stream of events knows of a twin: of each document the version and when it was written, and the
 * presence. As text it is the id of the last event that the reader has got, so nothing need be remembered for a reader
 * that is away, and it may come back after a restart of the server: `+mbz1k0w5,current:2a:mbz1jzv3,desired:3:mbz1jzuy`,
 * numbers to the base of 36, times in milliseconds.
 */
export class KnownState {
  readonly #documents: Map<string, string>;
  #presence: string;

  constructor(presence = '', documents: Iterable<[string, string]> = []) {
    this.#presence = presence;
    this.#documents = new Map(documents);
  }

  /** The state that an id stands for; undefined for a text that is not an id. */
  static parse(id: string): KnownState | undefined {
    if (id === '') return undefined;
    const [presence = '', ...documents] = id.split(',');
    const entries = documents.map(readEntry);
    const known = entries.filter((entry) => entry !== undefined);
    if (!PRESENCE.test(presence) || known.length < entries.length || known.length > LIMITS.documents) {
      return undefined;
    }
    return new KnownState(presence, known);
  }

  /** Empty where the id would be too long: then the reader begins anew. */
  get id(): string {
    let id = this.#presence;
    for (const [name, mark] of this.#documents) id += `,${name}:${mark}`;
    return id.length > LONGEST_ID ? '' : id;
  }

  /** The reader has got this event. */
  take(event: TwinEvent): void {
    switch (event.event) {
      case 'twin': {
        const names = event.documents.map(({ name }) => name);
        for (const name of this.#documents.keys()) if (!names.includes(name)) this.#documents.delete(name);
        break;
      }
      case 'document':
        this.#documents.set(event.document.name, markOf(event.document));
        break;
      case 'document_deleted':
        this.#documents.delete(event.name);
        break;
      case 'presence':
        this.#presence = markOfPresence(event.state);
    }
  }

  /** The events that a reader that knows this needs, when the twin is like that. */
  missing(documents: readonly Document[], state: PresenceState): TwinEvent[] {
    const names = new Set(documents.map(({ name }) => name));
    const gone = [...this.#documents.keys()].filter((name) => !names.has(name));
    const changed = documents.filter((document) => this.#documents.get(document.name) !== markOf(document));
    const events: TwinEvent[] = [
      ...gone.map((name) => ({ event: 'document_deleted' as const, name })),
      ...changed.map((document) => ({ event: 'document' as const, document })),
    ];
    return this.#presence === markOfPresence(state) ? events : [...events, { event: 'presence', state }];
  }
}

const PRESENCE = /^([+-][0-9a-z]*)?$/;
const MARK = /^[0-9a-z]+:[0-9a-z]+$/;

function readEntry(text: string): [string, string] | undefined {
  const colon = text.indexOf(':');
  const [name, mark] = [text.slice(0, colon), text.slice(colon + 1)];
  return colon > 0 && isDocumentName(name) && MARK.test(mark) ? [name, mark] : undefined;
}

/** Both, because the versions of a document that is deleted and made again begin at 1 again. */
const markOf = ({ version, updatedAt }: Document): string => `${version.toString(36)}:${compact(updatedAt)}`;

const markOfPresence = ({ isConnected, at }: PresenceState): string =>
  (isConnected ? '+' : '-') + (at === null ? '' : compact(at));

const compact = (time: string): string => Date.parse(time).toString(36);
