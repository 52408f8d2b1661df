import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  DEFAULT_RULES,
  KEPT_SECRET,
  NO_SETTINGS,
  parseSettings,
  rulesOf,
  shownSettings,
} from '../../../server/alerts/settings.js';
import { InvalidRequest } from '../../../server/twins/errors.js';
import type { JsonObject } from '../../../shared/document.js';

const HOOK = { id: 'hook', type: 'webhook', url: 'https://a.example/x' };
const NTFY = { id: 'n', type: 'ntfy', url: 'https://ntfy.example/topic', token: 'tk_1' };

const MAIL = { id: 'm', type: 'email', host: 'mail.example', from: 'a@b.example', to: ['c@d.example'] };

test('nothing is set by default, and then no channel tells anything', () => {
  assert.equal(parseSettings({}), NO_SETTINGS);
});

test('a channel has defaults for what is left out', () => {
  assert.equal(parseSettings({ channels: [HOOK] }).channels, [
    { ...HOOK, group: 1, method: 'POST', headers: {}, secrets: [], allow_private: false },
  ]);
});

test('secrets are not shown, and stay when they are sent back as they are shown', () => {
  const secret = { ...HOOK, headers: { Authorization: 'Bearer 1' }, secrets: ['s1', 's2'] };
  const settings = parseSettings({ channels: [secret, NTFY] });
  const shown = shownSettings(settings) as JsonObject;
  for (const hidden of ['Bearer', 's1', 'tk_1', 'a.example']) assert.not.match(JSON.stringify(shown), hidden);
  assert.equal(parseSettings(shown, settings), settings);
});

test('a secret that is not there cannot be kept', () => {
  for (const key of ['url', 'secrets']) {
    assert.throws(
      () => parseSettings({ channels: [{ ...HOOK, [key]: KEPT_SECRET }] }),
      (error: InvalidRequest) => error.argument === `channels[0].${key}`,
    );
  }
});

test('a panel has the common rules, and those of its own', () => {
  const settings = parseSettings({
    rules: { unreachable_after: 30 },
    panels: { p: { door_open_after: 60 } },
  });
  assert.equal(rulesOf(settings, 'p'), { ...DEFAULT_RULES, unreachable_after: 30, door_open_after: 60 });
  assert.equal(rulesOf(settings, 'toString'), { ...DEFAULT_RULES, unreachable_after: 30 });
  assert.equal(rulesOf(settings, null), { ...DEFAULT_RULES, unreachable_after: 30 });
});

const WRONG: [what: object, argument: string][] = [
  [{ channels: [{ ...NTFY, url: 'https://ntfy.example' }] }, 'channels[0].url'],
  [{ channels: [{ ...NTFY, url: 'https://ntfy.example/topic/' }] }, 'channels[0].url'],
  [{ channel: [] }, 'channel'],
  [{ channels: {} }, 'channels'],
  [{ channels: ['x'] }, 'channels[0]'],
  [{ channels: [{ ...HOOK, type: 'pigeon' }] }, 'channels[0].type'],
  [{ channels: [{ ...HOOK, id: 'Übung' }] }, 'channels[0].id'],
  [{ channels: [HOOK, HOOK] }, 'channels'],
  [{ channels: [{ ...HOOK, url: undefined }] }, 'channels[0].url'],
  [{ channels: [{ ...HOOK, url: 'ftp://a.example' }] }, 'channels[0].url'],
  [{ channels: [{ ...HOOK, url: 'https://u:p@a.example' }] }, 'channels[0].url'],
  [{ channels: [{ ...HOOK, colour: 'red' }] }, 'channels[0].colour'],
  [{ channels: [{ ...HOOK, group: 0 }] }, 'channels[0].group'],
  [{ channels: [{ ...HOOK, kinds: ['burglary'] }] }, 'channels[0].kinds[0]'],
  [{ channels: [{ ...HOOK, method: 'GET' }] }, 'channels[0].method'],
  [{ channels: [{ ...HOOK, headers: { 'x y': '1' } }] }, 'channels[0].headers.x y'],
  [{ channels: [{ ...HOOK, headers: { x: 'a\r\nb' } }] }, 'channels[0].headers.x'],
  [{ channels: [{ ...HOOK, body: '{"a":' }] }, 'channels[0].body'],
  [{ channels: [{ ...HOOK, allow_private: 'yes' }] }, 'channels[0].allow_private'],
  [{ channels: [{ ...MAIL, host: 'a b' }] }, 'channels[0].host'],
  [{ channels: [{ ...MAIL, port: 0 }] }, 'channels[0].port'],
  [{ channels: [{ ...MAIL, to: ['"a@b.example x"@c.example'] }] }, 'channels[0].to[0]'],
  [{ channels: [{ ...MAIL, to: ['a@b.example, c@d.example'] }] }, 'channels[0].to[0]'],
  [{ channels: [{ ...MAIL, from: 'a@b.example\r\nBcc: c' }] }, 'channels[0].from'],
  [{ channels: [{ id: 'p', type: 'push', contact: 'mailto:me@localhost' }] }, 'channels[0].contact'],
  [{ channels: [{ id: 'p', type: 'push', contact: 'me@house.example' }] }, 'channels[0].contact'],
  [{ channels: [{ id: 'p', type: 'push', contact: 'https://localhost' }] }, 'channels[0].contact'],
  [{ channels: Array.from({ length: 33 }, (_, n) => ({ ...HOOK, id: `h${n}` })) }, 'channels'],
  [{ rules: { unreachable_after: -1 } }, 'rules.unreachable_after'],
  [{ rules: { unreachable_after: '60' } }, 'rules.unreachable_after'],
  [{ rules: { door_open_after: 1e9 } }, 'rules.door_open_after'],
  [{ rules: { kinds: ['x'] } }, 'rules.kinds[0]'],
  [{ rules: { loud: true } }, 'rules.loud'],
  [{ panels: { p: 7 } }, 'panels.p'],
];

for (const [what, argument] of WRONG) {
  test(`is refused, and named :: ${JSON.stringify(what).slice(0, 100)}`, () => {
    try {
      parseSettings(JSON.parse(JSON.stringify(what)));
    } catch (error) {
      assert.instance(error, InvalidRequest);
      assert.is((error as InvalidRequest).argument, argument);
      return;
    }
    assert.unreachable('it was taken');
  });
}

test.run();
