/** What each command asks of the server, and what it prints. */

import { text as readAll } from 'node:stream/consumers';
import type { TwinDocument } from '../../shared/document.js';
import { DESIRED, type DesiredDocument } from '../../shared/panel.js';
import type { Token } from '../access/tokens.js';
import type { Device } from '../devices/device.js';
import { pathOf, Refused } from './api.js';
import { UsageError, wholeNumber } from './arguments.js';
import type { Call, Command } from './command.js';
import { createDevice, printAuthority, renewDevice } from './credentials.js';
import { pair } from './pair.js';
import { deviceText, documentText, table } from './text.js';
import { watch } from './watch.js';

const documentPath = ([id = '', name = '']: string[]): string => pathOf('twins', id, 'documents', name);

/** The answer as it came with `--json`, else as a person reads it. */
function show<T>({ json, print }: Call, answer: T, text: (answer: T) => string): void {
  print(json ? JSON.stringify(answer) : text(answer));
}

async function createToken(call: Call): Promise<void> {
  const { role = 'owner', twin, description, expires } = call.given;
  const twin_ids = typeof twin === 'string' ? twin.split(',').map((id) => id.trim()) : undefined;
  const body = JSON.stringify({ role, description, twin_ids, expires_at: expires });
  const made = (await call.api.call('POST', '/tokens', body)) as { token: Token; secret: string };
  show(
    call,
    made,
    ({ token, secret }) =>
      `${secret}\nis a new token of role ${token.role} for ${twinsOf(token)}, shown this once. Its id: ${token.id}`,
  );
}

const twinsOf = ({ twin_ids }: Token): string => twin_ids?.join(', ') ?? 'all twins';

async function listTokens(call: Call): Promise<void> {
  const answer = (await call.api.call('GET', '/tokens')) as { tokens: Token[] };
  show(call, answer, ({ tokens }) =>
    table(
      ['id', 'role', 'twins', 'created', 'expires', 'description'],
      tokens.map((token) => [
        token.id,
        token.role,
        twinsOf(token),
        token.created_at,
        token.expires_at ?? 'never',
        token.description,
      ]),
    ),
  );
}

const PAGE_SIZE = 100;

async function listDevices(call: Call): Promise<void> {
  const devices: Device[] = [];
  for (let page = 1; ; page += 1) {
    const path = `/devices?page=${page}&page_size=${PAGE_SIZE}`;
    const answer = (await call.api.call('GET', path)) as { devices: Device[] };
    devices.push(...answer.devices);
    if (answer.devices.length < PAGE_SIZE) break;
  }
  show(call, { devices }, () =>
    table(
      ['id', 'name', 'status', 'connected', 'last activity'],
      devices.map(({ id, name, status, is_connected, last_activity_at }) => [
        id,
        name,
        status,
        is_connected ? 'yes' : 'no',
        last_activity_at ?? 'never',
      ]),
    ),
  );
}

async function showDevice(call: Call): Promise<void> {
  show(call, (await call.api.call('GET', pathOf('devices', ...call.words))) as Device, deviceText);
}

async function get(call: Call): Promise<void> {
  const [id = '', name] = call.words;
  if (name !== undefined) {
    show(call, (await call.api.call('GET', documentPath(call.words))) as TwinDocument, documentText);
    return;
  }
  const answer = (await call.api.call('GET', pathOf('twins', id))) as Names;
  show(call, answer, ({ documents }) =>
    documents.length === 0 ? 'no documents' : documents.map((each) => each.document_name).join('\n'),
  );
}

interface Names {
  documents: { document_name: string }[];
}

const write = (method: 'PUT' | 'PATCH') => async (call: Call) => {
  const version = wholeNumber(call.given, 'version') ?? 0;
  // The data goes as it was typed: parsed and written again, a number might not be the same.
  const body = `{"version":${version},"data":${await dataOf(call.words[2] ?? '')}}`;
  show(call, (await call.api.call(method, documentPath(call.words), body)) as TwinDocument, documentText);
};

async function dataOf(word: string): Promise<string> {
  const text = word === '-' ? await readAll(process.stdin) : word;
  try {
    JSON.parse(text);
  } catch (error) {
    throw new UsageError(`the data is not JSON: ${(error as Error).message}`);
  }
  return text;
}

/** Leaves what else stands in the document; makes it where there is none. */
const setArmed = (alarm_armed: boolean) => async (call: Call) => {
  const path = documentPath([call.words[0] ?? '', DESIRED]);
  const data: DesiredDocument = { alarm_armed };
  const body = JSON.stringify({ data });
  const answer = await call.api.call('PATCH', path, body).catch((error) => {
    if (error instanceof Refused && error.body.resource === 'twin_document') {
      return call.api.call('PUT', path, body);
    }
    throw error;
  });
  show(call, answer as TwinDocument, documentText);
};

const remove =
  (kind: 'tokens' | 'devices'): Command['run'] =>
  async ({ api, words, json, print }) => {
    await api.call('DELETE', pathOf(kind, ...words));
    if (!json) print('done');
  };

export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'token create',
    {
      words: '',
      options: ['role', 'twin', 'description', 'expires'],
      help: 'a new token; an owner of all twins where nothing else is given',
      run: createToken,
    },
  ],
  ['token list', { words: '', options: [], help: 'the tokens, without their secrets', run: listTokens }],
  ['token revoke', { words: 'TOKEN-ID', options: [], help: 'ends a token at once', run: remove('tokens') }],
  [
    'device create',
    {
      words: 'NAME',
      options: ['description', 'allow-insecure', 'allow-multiple-connections', 'save'],
      help: 'a new device, its password, its certificate and key',
      run: createDevice,
    },
  ],
  ['device list', { words: '', options: [], help: 'the devices', run: listDevices }],
  ['device show', { words: 'ID', options: [], help: 'one device', run: showDevice }],
  [
    'device renew',
    {
      words: 'ID',
      options: ['save', 'key-type'],
      help: 'replaces password, certificate and key, and ends what came in by the old ones',
      run: renewDevice,
    },
  ],
  ['device delete', { words: 'ID', options: [], help: 'ends a device and its twin', run: remove('devices') }],
  [
    'get',
    { words: 'ID [DOCUMENT]', options: [], help: 'a document, or the names of the documents', run: get },
  ],
  [
    'put',
    {
      words: 'ID DOCUMENT DATA',
      options: ['version'],
      help: 'replaces a document; DATA is JSON, or - for stdin',
      run: write('PUT'),
    },
  ],
  [
    'patch',
    {
      words: 'ID DOCUMENT DATA',
      options: ['version'],
      help: 'changes the keys that DATA names',
      run: write('PATCH'),
    },
  ],
  [
    'watch',
    {
      words: 'ID [DOCUMENT]',
      options: [],
      help: 'prints each new version, until Ctrl-C',
      run: watch,
    },
  ],
  [
    'pair',
    {
      words: '[PANEL-ID]',
      options: ['role', 'description', 'expires', 'own'],
      help: 'a link, also as a QR code, that pairs a phone with one panel or all; its role is app',
      run: pair,
    },
  ],
  ['arm', { words: 'ID', options: [], help: 'asks the panel to arm', run: setArmed(true) }],
  ['ca', { words: '', options: [], help: "the authority's certificate, in PEM", run: printAuthority }],
  ['disarm', { words: 'ID', options: [], help: 'asks the panel to disarm', run: setArmed(false) }],
]);
