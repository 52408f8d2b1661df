import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { tokenInFragment } from '../../../server/app/page/state/fragment.js';
import { type AppListener, appUrls, pairingText } from '../../../server/app/pairing.js';

const TOKEN = 'ed7a5adc-40c1-4f50-821b-36d87bb5c2bf';
const NAMES = ['twin', 'twin.local', 'fd00::2', '192.0.2.7', 'localhost', '127.0.0.1', '::1'];

const http: AppListener = { address: { address: '127.0.0.1', port: 8080 }, secure: false };
const https: AppListener = { address: { address: '0.0.0.0', port: 8443 }, secure: true };

test('a phone is sent to TLS, and to an address that needs no name', () => {
  assert.equal(appUrls([http, https], NAMES, false), [
    'https://192.0.2.7:8443',
    'https://twin:8443',
    'https://twin.local:8443',
    'https://[fd00::2]:8443',
    'http://127.0.0.1:8080',
    'https://localhost:8443',
  ]);
});

test('names that were chosen are taken in their order', () => {
  const [first, second] = appUrls([http, https], ['alarm.example', '192.0.2.7', 'localhost'], true);
  assert.equal([first, second], ['https://alarm.example:8443', 'https://192.0.2.7:8443']);
});

test('a listener on one address is reached at that', () => {
  const one = { address: { address: 'fd00::2', port: 8443 }, secure: true };
  assert.equal(appUrls([one], NAMES, false), ['https://[fd00::2]:8443']);
});

test('without TLS other machines are named all the same, where the server listens for them', () => {
  const open = { address: { address: '::', port: 8080 }, secure: false };
  assert.is(appUrls([open], NAMES, false)[0], 'http://192.0.2.7:8080');
});

const linksIn = (text: string): URL[] => (text.match(/https?:\S+/g) ?? []).map((link) => new URL(link));

test('there is a link for a phone with its square, and one for this computer, each with the token', () => {
  const text = pairingText(appUrls([http, https], NAMES, false), TOKEN);
  assert.equal(
    linksIn(text).map(({ origin }) => origin),
    ['https://192.0.2.7:8443', 'http://127.0.0.1:8080'],
  );
  for (const { hash, search } of linksIn(text)) {
    assert.is(tokenInFragment(hash), TOKEN);
    assert.is(search, '');
  }
  assert.match(text, '█▀');
});

test('where no phone comes, there is no square to scan', () => {
  const text = pairingText(appUrls([http], NAMES, false), TOKEN);
  assert.is(linksIn(text).length, 1);
  assert.not.match(text, '█');
});

test.run();
