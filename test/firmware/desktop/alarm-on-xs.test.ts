/** The alarm on XS: leaving, coming home, and power cuts, in a house whose time is the test's. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../until.js';
import { type OneServer, setUp } from './one-server.js';
import { VirtualPanel } from './virtual-time.js';

const test = suite<OneServer & { house: VirtualPanel }>('alarm on XS');

setUp(test);
test.before.each(async (context) => {
  context.house = await VirtualPanel.start(context.bench, context.server, CUT_OFF);
});

const SECOND = 1000;
const CUT_OFF = 180 * SECOND;
const DEBOUNCE = 30;
const AWAY = { alarm_armed: true, mode: 'away', exit_delay: 60, entry_delay: 30 };

/** The reports arrive a moment after the turn. */
async function says(house: VirtualPanel, state: string): Promise<void> {
  await until(() => house.current.state === state);
  assert.equal(
    [house.panel.state.state, house.panel.state.sirenRinging, house.current.siren_ringing],
    [state, state === 'triggered', state === 'triggered'],
  );
}

async function press(house: VirtualPanel): Promise<void> {
  await house.set('K1', false, DEBOUNCE);
  await house.set('K1', true, DEBOUNCE);
}

/** Everybody has left, by the exit delay. */
async function left(house: VirtualPanel): Promise<void> {
  await house.want(AWAY);
  await says(house, 'arming');
  await house.set('D1', true, 10 * SECOND);
  await house.set('D1', false, 40 * SECOND);
  await says(house, 'arming');
  await house.pass(10 * SECOND);
  await says(house, 'armed');
}

test('people leave by the exit delay, come home by the entry delay and disarm at the key', async ({
  house,
}) => {
  await left(house);
  await house.set('D1', true, 5 * SECOND);
  await house.set('D1', false, 20 * SECOND);
  await says(house, 'pending');
  await press(house);
  await says(house, 'disarmed');
  assert.is(house.current.last_alarm, undefined);
});

test('somebody comes home and does nothing: the siren rings after the entry delay, until its cut-off', async ({
  house,
}) => {
  await left(house);
  await house.set('D1', true, 29 * SECOND);
  await says(house, 'pending');
  await house.pass(2 * SECOND);
  await says(house, 'triggered');
  assert.equal((house.current.last_alarm as { contacts: string[] }).contacts, ['D1']);
  await house.pass(CUT_OFF);
  await says(house, 'armed');
});

test('a window that is open refuses home mode, and the panel arms without it', async ({ house }) => {
  await house.set('W1', true, DEBOUNCE);
  await house.want({ ...AWAY, mode: 'home' });
  await until(() => house.current.refused !== undefined);
  assert.equal(house.current.refused, { reason: 'a contact is open', contacts: ['W1'] });
  await says(house, 'disarmed');
  await house.want({ ...AWAY, mode: 'home', bypass: ['W1'] });
  await house.pass(61 * SECOND);
  await says(house, 'armed');
  assert.equal([house.current.mode, house.current.refused], ['home', undefined]);
  await house.set('H1', true, DEBOUNCE);
  await says(house, 'armed');
  await house.set('W2', true, DEBOUNCE);
  await says(house, 'triggered');
});

test('after a power cut each state goes on', async ({ house }) => {
  await house.cutPower();
  await says(house, 'disarmed');
  await house.want(AWAY);
  await house.pass(30 * SECOND);
  await house.cutPower();
  await says(house, 'arming');
  await house.pass(60 * SECOND);
  await says(house, 'armed');
  await house.cutPower();
  await says(house, 'armed');
  await house.set('D1', true, 10 * SECOND);
  await house.set('D1', false, DEBOUNCE);
  await house.cutPower();
  await says(house, 'pending');
  await house.pass(30 * SECOND);
  await says(house, 'triggered');
  for (let cut = 0; cut < 3; cut++) {
    await house.cutPower();
    await says(house, 'triggered');
  }
  await house.pass(CUT_OFF);
  await says(house, 'armed');
  assert.equal((house.current.last_alarm as { contacts: string[] }).contacts, ['D1']);
});

test('what opens while there is no power rings when it is back, a door by its entry delay', async ({
  house,
}) => {
  await left(house);
  house.panel.powerOff();
  house.panel.set('D1', 'open');
  await house.cutPower();
  await says(house, 'pending');
  await press(house);
  await house.set('D1', false, DEBOUNCE);
  await left(house);
  house.panel.powerOff();
  house.panel.set('W1', 'open');
  await house.cutPower();
  await says(house, 'triggered');
});

test.run();
