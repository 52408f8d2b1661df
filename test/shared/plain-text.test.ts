import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { plainText } from '../../shared/plain-text.js';

test('a name cannot turn the text after it around', () => {
  assert.is(plainText('Door\u202e desrever'), 'Door desrever');
  assert.is(plainText('\u2066\u2067\u2068a\u2069\u202a\u202b\u202c\u202db\u200e\u200f\u061c'), 'ab');
});

test('a name cannot command a terminal', () => {
  assert.is(plainText('\u001b[31mDoor\u0007\n\u009b2J'), '[31mDoor2J');
});

test('names of all languages stay as they are', () => {
  for (const name of ['Haustür', 'دلوازہ', 'דלת כניסה', '玄関', '👩‍👩‍👧 room', 'e\u0301'])
    assert.is(plainText(name), name);
});

test.run();
