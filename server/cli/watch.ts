import { setTimeout as sleep } from 'node:timers/promises';
import type { TwinDocument } from '../../shared/document.js';
import { type Api, pathOf, Refused } from './api.js';
import { wholeNumber } from './arguments.js';
import type { Call } from './command.js';
import { changeText } from './text.js';

const INTERVAL = 1000;

/**
 * Prints the twin's documents, or one of them, and then each new version that a look finds; of several versions between
 * two looks the last. Ends with the process.
 */
export async function watch({ api, words, given, json, print }: Call): Promise<void> {
  const interval = wholeNumber(given, 'interval') ?? INTERVAL;
  const [id = '', only] = words;
  const seen = new Map<string, TwinDocument>();
  for (;;) {
    const found = await lookAt(api, id, only);
    for (const [name, document] of found) {
      if (seen.get(name)?.updated_at === document.updated_at && seen.get(name)?.version === document.version)
        continue;
      print(json ? JSON.stringify(document) : changeText(document));
    }
    for (const [name, { twin_id, document_name }] of seen) {
      if (found.has(name)) continue;
      print(json ? JSON.stringify({ twin_id, document_name, deleted: true }) : `${document_name}  deleted`);
    }
    seen.clear();
    for (const [name, document] of found) seen.set(name, document);
    await sleep(interval);
  }
}

async function lookAt(api: Api, id: string, only: string | undefined): Promise<Map<string, TwinDocument>> {
  const { documents } = (await api.call('GET', pathOf('twins', id))) as {
    documents: { document_name: string }[];
  };
  const names = documents.map(({ document_name }) => document_name);
  const found = new Map<string, TwinDocument>();
  for (const name of names.filter((each) => only === undefined || each === only)) {
    const document = await ifThere(api.call('GET', pathOf('twins', id, 'documents', name)));
    if (document !== undefined) found.set(name, document as TwinDocument);
  }
  return found;
}

/** A document may be deleted between two calls. */
async function ifThere(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Refused && error.body.resource === 'twin_document') return undefined;
    throw error;
  }
}
