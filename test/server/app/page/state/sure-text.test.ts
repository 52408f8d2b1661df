import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Link } from '../../../../../server/app/page/state/app.js';
import { newPanel } from '../../../../../server/app/page/state/panel.js';
import { sureText } from '../../../../../server/app/page/state/sure-text.js';
import { away, connected, HOUR, ID, MINUTE, T } from './world.js';

const PLACE = { locale: 'en-GB', timeZone: 'UTC' };
const LIVE: Link = { kind: 'live', since: T };

const text = (panel: typeof connected, link: Link) =>
  sureText(panel, link, { phone: T, server: T + HOUR }, PLACE);

test('says that the panel is there', () => {
  assert.is(text(connected, LIVE), 'Panel connected');
});

test("says since when the panel is lost, by the server's clock", () => {
  assert.is(text(away, LIVE), 'No contact with the panel since 11:00 (2 h ago).');
  assert.match(text(newPanel(ID, 'new', { isConnected: false }), LIVE), 'has not been connected yet');
});

test("says since when the server is lost, by the phone's clock, whatever was with the panel", () => {
  const lost: Link = { kind: 'lost', since: T - 5 * MINUTE };
  assert.match(text(connected, lost), 'No connection to the server since 11:55');
  assert.match(text(away, lost), 'No connection to the server since 11:55');
  assert.match(text(connected, { kind: 'connecting', since: T }), 'Connecting');
});

test.run();
