/** `npm start`: the server and one panel on the XS engine, with what a person needs to play with them. */

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { closestMatch } from 'leven';
import { apiBase, DEFAULT_REGION } from '../../shared/rest.js';
import { ABOUT_OPTIONS, aboutText, exitStatus, failureText, understood } from '../../shared/usage.js';
import { completed, readCredentials } from './demo/credentials.js';
import { pairingLines, startPanel, startServer } from './demo/programs.js';
import { describeState, HELP, type PanelState, welcome } from './demo/text.js';
import { keysHelp, onWords, PANEL_WORDS, type Switches } from './demo/words.js';
import { ServerApi } from './server-api.js';

const FLASH_FILE = 'panel-flash.json';

const data = process.env.TWIN_DATA || './data';
const region = process.env.TWIN_REGION || DEFAULT_REGION;
const endings: (() => Promise<void>)[] = [];
let ending = false;

const print = (line: string): void => console.log(line);

/** Ends what was started, the last first, and then this program. */
async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  for (const stop of [...endings].reverse()) await stop();
  if (endings.length > 0) print('Stopped.');
  process.exit(code);
}

function failed(error: unknown): void {
  print(failureText('start', error));
  end(exitStatus(error));
}

function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function start(): Promise<void> {
  const { values } = understood(() => parseArgs({ options: ABOUT_OPTIONS }), ABOUT_OPTIONS, closestMatch);
  const about = aboutText(values, HELP);
  if (about !== undefined) return print(about);
  print('Starting the server and the panel …');
  const credentials = readCredentials(data);
  const token = process.env.TWIN_TOKEN || credentials.token;
  const server = startServer({ TWIN_DATA: data, TWIN_TOKEN: token }, print);
  endings.push(server.program.stop);
  const addresses = await server.listening;
  if (addresses === undefined) return end(1);
  server.program.ended.then(() => ending || failed('The server has ended.'));

  const api = new ServerApi(apiBase(addresses.http, region), token);
  const { device, appToken } = await completed(data, credentials, api);
  const greeting = welcome({
    iotApi: api.base,
    addresses,
    token,
    deviceId: device.id,
    data,
    hasJq: isOnPath('jq'),
  });
  const pairing = pairingLines(addresses.http, appToken);
  let greeted = false;
  const switches: Switches = { windowOpen: false, power: true, network: true };
  let shown = '';
  const onState = (state: PanelState): void => {
    const text = switches.power ? describeState(state) : 'no power';
    if (state.online && !greeted) pairing.then((lines) => print([...lines, greeting].join('\n')));
    greeted ||= state.online;
    if (text !== shown) print(`${new Date(state.at).toTimeString().slice(0, 8)}  ${text}`);
    shown = text;
  };
  const panel = startPanel({
    server: addresses.mqtt,
    device,
    flash: join(data, FLASH_FILE),
    onState,
    print,
  });
  endings.push(panel.stop);
  panel.ended.then(() => ending || failed('The panel has ended.'));

  const setArmed = (armed: boolean): Promise<void> =>
    api.setArmed(device.id, armed).catch((error: Error) => print(error.message));
  const deeds = new Map<string, () => unknown>([
    ['arm', () => setArmed(true)],
    ['disarm', () => setArmed(false)],
    ['help', () => print(keysHelp())],
    ['quit', () => end(0)],
  ]);
  onWords(switches, (word) => {
    if (PANEL_WORDS.has(word)) {
      Object.assign(switches, PANEL_WORDS.get(word));
      if (word === 'state') shown = '';
      panel.type(word);
    } else if (deeds.has(word)) deeds.get(word)?.();
    else print(`"${word}" is not one of the keys:\n${keysHelp()}`);
  });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end(0));
start().catch(failed);
