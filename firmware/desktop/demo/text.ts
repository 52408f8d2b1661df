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

interface Welcome {
  iotApi: string;
  mqtt: string;
  token: string;
  deviceId: string;
  data: string;
  hasJq: boolean;
}

/** The curl lines are those of the service's documentation, as they are. */
export const welcome = ({ iotApi, mqtt, token, deviceId, data, hasJq }: Welcome): string => `
The server and the panel are up. Everything is kept in ${data}.

  REST   ${iotApi}
  MQTT   ${mqtt}
  token  ${token}

Paste these into another terminal.${hasJq ? '' : ' (jq is not installed: leave out "| jq", or install it.)'}

export TOKEN=${token} IOT_API=${iotApi} PANEL_DEVICE_ID=${deviceId}

# What the panel says:
curl -sS -H "X-Auth-Token: $TOKEN" $IOT_API/twins/$PANEL_DEVICE_ID/documents/current | jq

# Arm it:
curl -sS -H "X-Auth-Token: $TOKEN" -X PUT $IOT_API/twins/$PANEL_DEVICE_ID/documents/desired -d '{"data":{"alarm_armed":true}}' | jq

# Disarm it:
curl -sS -H "X-Auth-Token: $TOKEN" -X PUT $IOT_API/twins/$PANEL_DEVICE_ID/documents/desired -d '{"data":{"alarm_armed":false}}' | jq

Keys:
${keysHelp()}
`;
