/** Every command, and what those about documents ask of the server. */

import { text as readAll } from 'node:stream/consumers';
import type { TwinDocument } from '../../shared/document.js';
import { documentPath, pathOf } from '../../shared/rest.js';
import { UsageError } from '../../shared/usage.js';
import { backUp } from '../storage/backup.js';
import { acknowledgeAlert, listAlerts, testChannel } from './alerts.js';
import { wholeNumber } from './arguments.js';
import { type Call, type Command, documentText, show } from './command.js';
import { createDevice, listDevices, printAuthority, renewDevice, showDevice } from './devices.js';
import { order, status } from './orders.js';
import { createToken, listTokens, pair } from './tokens.js';
import { watch } from './watch.js';

interface Names {
  documents: { document_name: string }[];
}

async function get(call: Call): Promise<void> {
  const [id = '', name] = call.words;
  if (name !== undefined) {
    show(call, (await call.api.call('GET', documentPath(id, name))) as TwinDocument, documentText);
    return;
  }
  const answer = (await call.api.call('GET', pathOf('twins', id))) as Names;
  show(call, answer, ({ documents }) =>
    documents.length === 0 ? 'no documents' : documents.map((each) => each.document_name).join('\n'),
  );
}

const write = (method: 'PUT' | 'PATCH') => async (call: Call) => {
  const [id = '', name = '', data = ''] = call.words;
  const version = wholeNumber(call.given, 'version') ?? 0;
  // The data is sent as it was typed: parsed and written again, a number might not be the same.
  const body = `{"version":${version},"data":${await jsonText(data)}}`;
  show(call, (await call.api.call(method, documentPath(id, name), body)) as TwinDocument, documentText);
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

const remove =
  (kind: 'tokens' | 'devices'): Command['run'] =>
  async ({ api, words, json, print }) => {
    await api.call('DELETE', pathOf(kind, ...words));
    if (!json) print('done');
  };

/** Asks no server, so it works whether or not one runs. */
async function backup({ words, given, json, print }: Call): Promise<void> {
  const [target = ''] = words;
  await backUp(String(given.data ?? (process.env.TWIN_DATA || './data')), target);
  if (!json)
    print(`The copy is in ${target}. It holds the server's keys: keep it where others cannot read it.`);
}

/** In the order of the help. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'arm',
    {
      words: 'ID',
      options: ['mode', 'bypass', 'wait'],
      help: 'asks the panel to arm, in mode away unless another is given',
      run: order(true),
    },
  ],
  ['disarm', { words: 'ID', options: ['wait'], help: 'asks the panel to disarm', run: order(false) }],
  [
    'status',
    {
      words: 'ID',
      options: [],
      help: 'prints what the panel last said, and whether it is connected',
      run: status,
    },
  ],
  [
    'pair',
    {
      words: '[PANEL-ID]',
      options: ['role', 'description', 'expires', 'own'],
      help: 'makes a token of role app for one panel, or for all, and prints a link and a QR code that give it to a phone',
      run: pair,
    },
  ],
  [
    'get',
    {
      words: 'ID [DOCUMENT]',
      options: [],
      help: 'prints a document of a twin, or the names of its documents',
      run: get,
    },
  ],
  [
    'put',
    {
      words: 'ID DOCUMENT DATA',
      options: ['version'],
      help: 'replaces a document, or creates it; DATA is a JSON object, or - to read it from stdin',
      run: write('PUT'),
    },
  ],
  [
    'patch',
    {
      words: 'ID DOCUMENT DATA',
      options: ['version'],
      help: 'changes the keys that DATA names, and removes those that are null in it',
      run: write('PATCH'),
    },
  ],
  [
    'watch',
    {
      words: 'ID [DOCUMENT]',
      options: [],
      help: 'prints the documents, or one of them, and then each new version, until Ctrl-C',
      run: watch,
    },
  ],
  [
    'device create',
    {
      words: 'NAME',
      options: ['description', 'allow-insecure', 'allow-multiple-connections', 'save'],
      help: 'makes a device and prints its password, certificate and key',
      run: createDevice,
    },
  ],
  ['device list', { words: '', options: [], help: 'lists the devices', run: listDevices }],
  ['device show', { words: 'ID', options: [], help: 'prints what is known of a device', run: showDevice }],
  [
    'device renew',
    {
      words: 'ID',
      options: ['save', 'key-type'],
      help: 'replaces the password, certificate and key of a device and closes its connections',
      run: renewDevice,
    },
  ],
  [
    'device delete',
    { words: 'ID', options: [], help: 'deletes a device and its twin', run: remove('devices') },
  ],
  [
    'token create',
    {
      words: '',
      options: ['role', 'twin', 'description', 'expires'],
      help: 'makes a token and prints it; without options it is an owner token for all twins',
      run: createToken,
    },
  ],
  [
    'token list',
    { words: '', options: [], help: 'lists the tokens, without their secrets', run: listTokens },
  ],
  [
    'token revoke',
    {
      words: 'TOKEN-ID',
      options: [],
      help: 'ends a token and its connections at once',
      run: remove('tokens'),
    },
  ],
  ['alerts', { words: '', options: [], help: 'lists the alerts, the newest first', run: listAlerts }],
  [
    'alerts ack',
    {
      words: 'ALERT-ID',
      options: [],
      help: 'acknowledges an alert: it is not repeated',
      run: acknowledgeAlert,
    },
  ],
  [
    'alerts test',
    { words: 'CHANNEL-ID', options: [], help: 'sends a test message by a channel', run: testChannel },
  ],
  [
    'backup',
    {
      words: 'DIRECTORY',
      options: ['data'],
      help: 'copies the data directory of a server on this machine, also while it runs',
      run: backup,
    },
  ],
  [
    'ca',
    {
      words: '',
      options: [],
      help: "prints the certificate of the server's authority, in PEM",
      run: printAuthority,
    },
  ],
]);
