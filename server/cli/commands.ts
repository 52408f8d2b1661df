/** Every command, in one table. Parsing, help, completion and the check of the pages read it. */

import { acknowledgeAlert, listAlerts, testChannel } from './alerts.js';
import type { Call, Command } from './command.js';
import { completionFor } from './completion.js';
import {
  createDevice,
  deleteDevice,
  listDevices,
  printAuthority,
  renewDevice,
  showDevice,
} from './devices.js';
import { get, write } from './documents.js';
import { order, status } from './orders.js';
import { createToken, listTokens, pair, removePin, revokeToken } from './tokens.js';
import { watch } from './watch.js';

/** What they need takes long to load. */
const backups = () => import('./backup.js');

async function completion({ words: [shell = ''], print }: Call): Promise<void> {
  await print(completionFor(shell, COMMANDS));
}

/** In the order of the help. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'arm',
    {
      words: 'PANEL',
      options: ['mode', 'bypass', 'no-wait'],
      help: 'asks the panel to arm, and says what it did',
      details:
        'It waits up to 30 seconds for the panel. The status is 0 when the panel is armed or arming, 3 when it has not confirmed,\nand 4 when it refused.',
      examples: ['arm front-door', 'arm front-door --mode home --bypass "kitchen window"'],
      run: order(true),
    },
  ],
  [
    'disarm',
    {
      words: 'PANEL',
      options: ['no-wait'],
      help: 'asks the panel to disarm, and says what it did',
      details:
        'It waits up to 30 seconds for the panel. The status is 0 when the panel is disarmed, 3 when it has not confirmed, and 4\nwhen it refused.',
      examples: ['disarm front-door'],
      run: order(false),
    },
  ],
  [
    'status',
    {
      words: 'PANEL',
      options: [],
      help: 'prints what the panel last said, and whether it is connected',
      examples: ['status front-door'],
      run: status,
    },
  ],
  [
    'pair',
    {
      words: '[PANEL]',
      options: ['role', 'description', 'expires', 'own'],
      help: 'makes a token for a phone, for one panel or for all, and prints a link and a QR code that give it to the phone',
      details:
        'Its role is app unless another is given. On a terminal it asks for a name for the phone when there is no --description.',
      examples: [
        'pair front-door --description "kitchen tablet"',
        'pair --role reader --expires 2030-01-31T12:00:00Z',
      ],
      run: pair,
    },
  ],
  [
    'get',
    {
      words: 'DEVICE [DOCUMENT]',
      options: [],
      help: 'prints a document of a twin, or the names of its documents',
      examples: ['get front-door current'],
      run: get,
    },
  ],
  [
    'put',
    {
      words: 'DEVICE DOCUMENT DATA',
      options: ['if-version'],
      help: 'replaces a document, or creates it; DATA is a JSON object, or - to read it from stdin',
      examples: [`put lamp current '{"on":true}'`],
      run: write('PUT'),
    },
  ],
  [
    'patch',
    {
      words: 'DEVICE DOCUMENT DATA',
      options: ['if-version'],
      help: 'changes the keys that DATA names, and removes those that are null in it',
      examples: [`patch front-door desired '{"exit_delay":30}' --if-version 7`],
      run: write('PATCH'),
    },
  ],
  [
    'watch',
    {
      words: 'DEVICE [DOCUMENT]',
      options: [],
      help: 'prints the documents, or one of them, and then each new version, until Ctrl-C',
      examples: ['watch front-door current', 'watch front-door --json | jq .data'],
      endless: true,
      run: watch,
    },
  ],
  [
    'device create',
    {
      words: 'NAME',
      options: ['description', 'allow-insecure', 'allow-multiple-connections', 'save'],
      help: 'makes a device and prints its password, certificate and key',
      details: 'When they cannot be printed or written, the device is deleted again.',
      examples: ['device create lamp --save lamp'],
      run: createDevice,
    },
  ],
  [
    'device list',
    {
      words: '',
      options: [],
      help: 'lists the devices',
      examples: ['device list'],
      run: listDevices,
    },
  ],
  [
    'device show',
    {
      words: 'DEVICE',
      options: [],
      help: 'prints what is known of a device',
      examples: ['device show lamp'],
      run: showDevice,
    },
  ],
  [
    'device renew',
    {
      words: 'DEVICE',
      options: ['save', 'key-type'],
      help: 'replaces the password, certificate and key of a device and closes its connections',
      examples: ['device renew lamp --save lamp'],
      run: renewDevice,
    },
  ],
  [
    'device delete',
    {
      words: 'DEVICE',
      options: ['yes'],
      help: 'deletes a device and its twin',
      details: 'On a terminal it asks first. Without a terminal it deletes only with --yes.',
      examples: ['device delete lamp', 'device delete lamp --yes'],
      run: deleteDevice,
    },
  ],
  [
    'token create',
    {
      words: '',
      options: ['role', 'twin', 'description', 'expires'],
      help: 'makes a token and prints it; without options it is an owner token for all twins',
      details: 'When it cannot be printed, it is revoked again.',
      examples: ['token create --role app --twin front-door --description "kitchen tablet"'],
      run: createToken,
    },
  ],
  [
    'token list',
    {
      words: '',
      options: [],
      help: 'lists the tokens, without their secrets',
      examples: ['token list'],
      run: listTokens,
    },
  ],
  [
    'token revoke',
    {
      words: 'TOKEN',
      options: [],
      help: 'ends a token and its connections at once',
      details: 'TOKEN is its id, or its description.',
      examples: ['token revoke "kitchen tablet"'],
      run: revokeToken,
    },
  ],
  [
    'token remove-pin',
    {
      words: 'TOKEN',
      options: [],
      help: 'lets a token disarm without its PIN',
      details: 'TOKEN is its id, or its description.',
      examples: ['token remove-pin "kitchen tablet"'],
      run: removePin,
    },
  ],
  [
    'alerts',
    {
      words: '',
      options: [],
      help: 'lists the alerts, the newest first',
      examples: ['alerts'],
      run: listAlerts,
    },
  ],
  [
    'alerts ack',
    {
      words: 'ALERT-ID',
      options: [],
      help: 'acknowledges an alert: it is not repeated',
      examples: ['alerts ack 0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d'],
      run: acknowledgeAlert,
    },
  ],
  [
    'alerts test',
    {
      words: 'CHANNEL-ID',
      options: [],
      help: 'sends a test message by a channel',
      examples: ['alerts test hook'],
      run: testChannel,
    },
  ],
  [
    'backup',
    {
      words: 'FILE',
      options: ['data', 'keys', 'passphrase-file'],
      help: 'makes a backup of a server on this machine, also while it runs',
      examples: ['backup house.backup', 'backup house.backup --keys'],
      run: async (call) => (await backups()).makeBackup(call),
    },
  ],
  [
    'restore',
    {
      words: 'FILE',
      options: ['data', 'passphrase-file'],
      help: 'checks a backup and puts it in the place of the data, also while the server runs',
      examples: ['restore house.backup'],
      run: async (call) => (await backups()).restoreBackup(call),
    },
  ],
  [
    'migrate',
    {
      words: '',
      options: ['to', 'back', 'data'],
      help: 'moves the data of a server that is stopped into a database, which several servers can share, or back',
      details:
        'All documents and past versions are copied, read again and compared. Only then is the directory marked, so that no server\ntakes it any more. When it is cut off, type it again. --back needs TWIN_DATABASE, and all servers stopped.',
      examples: ['migrate --to postgres://twin:secret@127.0.0.1:5432/twin', 'migrate --back'],
      run: async (call) => (await import('./migrate.js')).migrate(call),
    },
  ],
  [
    'ca',
    {
      words: '',
      options: [],
      help: "prints the certificate of the server's authority, in PEM",
      examples: ['ca > ca.crt'],
      run: printAuthority,
    },
  ],
  [
    'completion',
    {
      words: 'SHELL',
      options: [],
      help: 'prints what a shell needs to complete commands, options and values',
      details: 'SHELL is bash, zsh or fish.',
      examples: ['completion bash > ~/.local/share/bash-completion/completions/alarm-twin'],
      run: completion,
    },
  ],
]);
