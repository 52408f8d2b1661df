import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { newPanel, withDocument } from '../../../../../server/app/page/state/panel.js';
import { titleText } from '../../../../../server/app/page/state/title.js';
import { after, away, connected, current, following, ID, OTHER_ID, T } from './world.js';

const garage = withDocument(newPanel(OTHER_ID, 'Garage', { isConnected: true, at: T }), current({}));

test('the title is the state of the panel that is shown', () => {
  assert.is(titleText(following(withDocument(connected, current({ armed: true })))), 'Armed · Front door');
});

test('the title says that a state is the last known one', () => {
  const lost = following(withDocument(away, current({ armed: true })));
  assert.is(titleText(lost), 'Armed (last known) · Front door');
});

test('the title says which panel rings, whatever is shown', () => {
  const ringing = withDocument(connected, current({ ringing: true }));
  const listed = following(garage, { type: 'listed', panels: [garage, ringing], now: T });
  assert.is(titleText(listed), 'Alarm · Front door');
  const silenced = after(listed, { type: 'silenced', id: ID }, { type: 'opened', id: OTHER_ID });
  assert.is(titleText(silenced), 'Disarmed · Garage');
});

test('the title of a list is the name of the app', () => {
  assert.is(titleText(following(garage, { type: 'listed', panels: [garage, connected], now: T })), 'Alarm');
});

test('a name cannot turn the title around', () => {
  const named = newPanel(ID, 'Door\u202e', { isConnected: true, at: T });
  assert.is(titleText(following(withDocument(named, current({})))), 'Disarmed · Door');
});

test.run();
