import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { describeState, parsePanelState, welcome } from '../../../../firmware/desktop/demo/text.js';

const STATE = {
  at: '2026-01-01T00:00:00.000Z',
  armed: true,
  door_open: true,
  state: 'triggered',
  mode: 'away',
  refused: false,
  siren_ringing: true,
  online: false,
  contacts: { 'front door': 'open', window: 'closed', 'key switch': 'open' },
} as const;

test("a line of the panel's JSON is a state, and any other line is none", () => {
  assert.equal(parsePanelState(JSON.stringify(STATE)), STATE);
  for (const line of ['', 'panel: connected', '{"level":30,"msg":"x"}'])
    assert.is(parsePanelState(line), undefined);
});

test('a state reads as a sentence', () => {
  assert.is(describeState(STATE), 'armed, front door open, window closed, SIREN RINGING, offline');
  assert.is(
    describeState({
      ...{ ...STATE, state: 'pending', mode: 'home', siren_ringing: false, online: true },
      contacts: { 'front door': 'closed', window: 'cut', 'key switch': 'open' },
    }),
    'pending (home), front door closed, window cut, siren silent, online',
  );
  assert.match(
    describeState({ ...STATE, state: 'disarmed', mode: 'home', refused: true }),
    /^disarmed \(order refused\), /,
  );
});

const WELCOME = {
  iotApi: 'http://127.0.0.1:8080/iot/v1/regions/fr-par',
  addresses: { http: 'http://127.0.0.1:8080', mqtt: 'mqtt://127.0.0.1:1883', open: {} },
  token: 'T',
  deviceId: 'D',
  data: './data',
  hasJq: true,
};

test('the variables for curl and for the command line stand in one line', () => {
  assert.match(
    welcome(WELCOME),
    /^export TOKEN=T IOT_API=\S+ PANEL_DEVICE_ID=D TWIN_TOKEN=T TWIN_URL=http:\/\/127\.0\.0\.1:8080$/m,
  );
});

test('the ports that other machines reach are named, with what closes them', () => {
  const open = { TWIN_HTTPS: '0.0.0.0:8443', TWIN_MQTTS: '0.0.0.0:8883' };
  assert.match(
    welcome({ ...WELCOME, addresses: { ...WELCOME.addresses, open } }),
    'Your network can reach 0.0.0.0:8443 and 0.0.0.0:8883, with TLS. To close that: TWIN_HTTPS= TWIN_MQTTS= npm start\n',
  );
  assert.not.match(welcome(WELCOME), 'Your network');
});

test.run();
