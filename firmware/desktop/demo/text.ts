/** What `npm start` tells the person at the terminal. */

import type { AlarmStateName, Mode } from '../../../shared/panel.js';
import { alarmWords } from '../alarm-words.js';
import { keysHelp } from './words.js';

export const HELP = `Runs the server and one alarm panel on this machine, to try them out.

  npm start

There are no options. Environment variables are the settings: TWIN_DATA (default ./data) is the directory that keeps
everything, TWIN_HTTP and TWIN_MQTT are the addresses; server/README.md lists them all.

Keys while it runs, or the same as words, one on a line of stdin:
${keysHelp()}`;

/** The contacts of the panel, as its options describe them. */
export const CONTACTS = ['front door:entry', 'window:instant', 'key switch:key'];
const KEY_SWITCH = 'key switch';

/** One line of the panel's `--json` output. */
export interface PanelState {
  at: string;
  armed: boolean;
  door_open: boolean;
  state: AlarmStateName;
  mode: Mode;
  refused: boolean;
  siren_ringing: boolean;
  online: boolean;
  contacts: Record<string, string>;
}

export function parsePanelState(line: string): PanelState | undefined {
  if (!line.startsWith('{')) return undefined;
  const state = JSON.parse(line) as Partial<PanelState>;
  return typeof state.armed === 'boolean' ? (state as PanelState) : undefined;
}

/** A key switch at rest has nothing to say. */
export function describeState(state: PanelState): string {
  const { contacts, siren_ringing, online } = state;
  return [
    alarmWords(state),
    ...Object.entries(contacts)
      .filter(([name]) => name !== KEY_SWITCH)
      .map(([name, line]) => `${name} ${line}`),
    siren_ringing ? 'SIREN RINGING' : 'siren silent',
    online ? 'online' : 'offline',
  ].join(', ');
}

export interface Addresses {
  /** Where this machine reaches REST, `http://host:port`. */
  http: string;
  /** `mqtt://host:port` */
  mqtt: string;
  /** The addresses with TLS that other machines reach, by their settings. */
  open: Partial<Record<OpenSetting, string>>;
}

type OpenSetting = 'TWIN_HTTPS' | 'TWIN_MQTTS';

/** Says in one line which ports other machines reach, and how they are closed. */
function reachable(open: Addresses['open']): string {
  const addresses = Object.values(open);
  if (addresses.length === 0) return '';
  const closing = Object.keys(open).map((setting) => `${setting}=`);
  return `Your network can reach ${addresses.join(' and ')}, with TLS. To close that: ${closing.join(' ')} npm start\n`;
}

interface Welcome {
  iotApi: string;
  addresses: Addresses;
  token: string;
  deviceId: string;
  data: string;
  hasJq: boolean;
}

/** The curl lines are those of the service's documentation, as they are. */
export const welcome = ({ iotApi, addresses, token, deviceId, data, hasJq }: Welcome): string => `
The server and the panel are up. Everything is kept in ${data}.

  REST   ${iotApi}
  MQTT   ${addresses.mqtt}
  token  ${token}

This token is the owner's and may do everything. The code and the links above hold another one, which can read, arm and
disarm. Open the app as the owner, with the settings and the console, only on this computer:
  ${addresses.http}/#token=${token}
${reachable(addresses.open)}
Paste these into another terminal.${hasJq ? '' : ' (jq is not installed: leave out "| jq", or install it.)'}

export TOKEN=${token} IOT_API=${iotApi} PANEL_DEVICE_ID=${deviceId} TWIN_TOKEN=${token} TWIN_URL=${addresses.http}

# What the panel says:
curl -sS -H "X-Auth-Token: $TOKEN" $IOT_API/twins/$PANEL_DEVICE_ID/documents/current | jq

# Arm it:
curl -sS -H "X-Auth-Token: $TOKEN" -X PUT $IOT_API/twins/$PANEL_DEVICE_ID/documents/desired -d '{"data":{"alarm_armed":true}}' | jq

# Disarm it:
curl -sS -H "X-Auth-Token: $TOKEN" -X PUT $IOT_API/twins/$PANEL_DEVICE_ID/documents/desired -d '{"data":{"alarm_armed":false}}' | jq

Keys:
${keysHelp()}
`;
