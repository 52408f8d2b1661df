import { setTimeout as sleep } from 'node:timers/promises';
import type { EventSourceMessage } from 'eventsource-parser';
import { BackOff } from '../../shared/backoff.js';
import type { TwinDocument } from '../../shared/document.js';
import { pathOf } from '../../shared/rest.js';
import { Unreachable } from './api.js';
import type { Call } from './command.js';

/** Milliseconds between two attempts to reach a server that has answered before. */
const WAITS = { backOffMin: 500, backOffMax: 10_000 };

/**
 * Prints the twin's documents, or one of them, and then each new version. When the connection is lost it connects again
 * and prints what has changed meanwhile. Ends with the process, or when the server refuses.
 */
export async function watch(call: Call): Promise<void> {
  const [id = '', only] = call.words;
  const path = pathOf('twins', id, 'events');
  const printer = new Printer(call, only);
  const backOff = new BackOff(WAITS, Math.random);
  let lastId: string | undefined;
  for (;;) {
    const begun = Date.now();
    try {
      for await (const event of call.api.events(path, lastId ?? '')) {
        lastId = event.id ?? '';
        await printer.take(event);
      }
    } catch (error) {
      if (!(error instanceof Unreachable) || lastId === undefined) throw error;
    }
    backOff.stood(Date.now() - begun);
    await sleep(backOff.next());
  }
}

/** One line. */
const changeText = ({ document_name, version, updated_at, data }: TwinDocument): string =>
  `${updated_at}  ${document_name}  version ${version}  ${JSON.stringify(data)}`;

type Named = Pick<TwinDocument, 'twin_id' | 'document_name'>;

/** Prints each version once: after a reconnection the server may repeat what it has sent before. */
class Printer {
  readonly #call: Call;
  readonly #only: string | undefined;
  readonly #printed = new Map<string, string>();

  constructor(call: Call, only: string | undefined) {
    this.#call = call;
    this.#only = only;
  }

  async take({ event, data }: EventSourceMessage): Promise<void> {
    if (event === 'document') await this.#document(JSON.parse(data));
    else if (event === 'document_deleted') await this.#deleted(JSON.parse(data));
    else if (event === 'twin') await this.#twin(JSON.parse(data));
  }

  async #document(document: TwinDocument): Promise<void> {
    const { document_name, version, updated_at } = document;
    const mark = `${version} ${updated_at}`;
    if (this.#only !== undefined && document_name !== this.#only) return;
    if (this.#printed.get(document_name) === mark) return;
    this.#printed.set(document_name, mark);
    await this.#print(document, changeText(document));
  }

  async #deleted({ twin_id, document_name }: Named): Promise<void> {
    if (!this.#printed.delete(document_name)) return;
    await this.#print({ twin_id, document_name, deleted: true }, `${document_name}  deleted`);
  }

  async #twin({
    twin_id,
    documents,
  }: {
    twin_id: string;
    documents: Pick<Named, 'document_name'>[];
  }): Promise<void> {
    const names = new Set(documents.map(({ document_name }) => document_name));
    for (const document_name of this.#printed.keys()) {
      if (!names.has(document_name)) await this.#deleted({ twin_id, document_name });
    }
  }

  #print(object: object, text: string): Promise<void> {
    return this.#call.print(this.#call.json ? JSON.stringify(object) : text);
  }
}
