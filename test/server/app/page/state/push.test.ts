import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  contactOf,
  type PushFacts,
  type PushKind,
  pushKindOf,
} from '../../../../../server/app/page/state/push.js';

const ABLE: PushFacts = {
  isSecure: true,
  hasPush: true,
  isApple: false,
  isOnHomeScreen: false,
  permission: 'default',
  isSubscribed: false,
  isOffered: true,
};

const CASES: [string, Partial<PushFacts>, PushKind][] = [
  ['a phone that was never asked is off', {}, 'off'],
  ['a phone that has subscribed is on', { permission: 'granted', isSubscribed: true }, 'on'],
  ['a phone that may and has not subscribed is off', { permission: 'granted' }, 'off'],
  ['a person who forbids it blocks it', { permission: 'denied', isSubscribed: true }, 'blocked'],
  ['a page without TLS has none', { isSecure: false, hasPush: false }, 'no-tls'],
  ['a browser may have none', { hasPush: false }, 'no-browser'],
  ['an iPhone needs the app on its home screen', { hasPush: false, isApple: true }, 'home-screen'],
  [
    'an old iPhone has none, also on its home screen',
    { hasPush: false, isApple: true, isOnHomeScreen: true },
    'no-browser',
  ],
  ['a server may offer none', { isOffered: false }, 'not-offered'],
];

for (const [title, facts, kind] of CASES) {
  test(title, () => assert.is(pushKindOf({ ...ABLE, ...facts }), kind));
}

test('a push service gets a mail address', () => {
  assert.is(contactOf(' owner@example.org '), 'mailto:owner@example.org');
  for (const wrong of ['', 'owner', 'owner@localhost', 'a b@example.org', 'owner@example.']) {
    assert.is(contactOf(wrong), undefined, wrong);
  }
});

test.run();
