/** The commands that read and write documents. */

import { text as readAll } from 'node:stream/consumers';
import type { TwinDocument } from '../../shared/document.js';
import { documentPath, pathOf } from '../../shared/rest.js';
import { UsageError } from '../../shared/usage.js';
import { wholeNumber } from './arguments.js';
import { type Call, documentText, show } from './command.js';

interface Names {
  documents: { document_name: string }[];
}

export async function get(call: Call): Promise<void> {
  const [id = '', name] = call.words;
  if (name !== undefined) {
    await show(call, (await call.api.call('GET', documentPath(id, name))) as TwinDocument, documentText);
    return;
  }
  const answer = (await call.api.call('GET', pathOf('twins', id))) as Names;
  await show(call, answer, ({ documents }) =>
    documents.length === 0 ? 'no documents' : documents.map((each) => each.document_name).join('\n'),
  );
}

export const write = (method: 'PUT' | 'PATCH') => async (call: Call) => {
  const [id = '', name = '', data = ''] = call.words;
  const version = wholeNumber(call.given, 'if-version') ?? 0;
  // The data is sent as it was typed: parsed and written again, a number might not be the same.
  const body = `{"version":${version},"data":${await jsonText(data)}}`;
  await show(call, (await call.api.call(method, documentPath(id, name), body)) as TwinDocument, documentText);
};

async function jsonText(word: string): Promise<string> {
  const text = word === '-' ? await readAll(process.stdin) : word;
  try {
    JSON.parse(text);
  } catch (error) {
    throw new UsageError(`the data is not JSON: ${(error as Error).message}`);
  }
  return text;
}
