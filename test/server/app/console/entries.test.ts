import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Entry,
  formatted,
  refusalText,
  SHOWN,
  withEntry,
} from '../../../../server/app/console/entries.js';

const event = (text: string): Entry => ({ kind: 'event', at: 0, text });

test('the newest comes first, and no more than can be read are kept', () => {
  let entries: readonly Entry[] = [];
  for (let n = 0; n < SHOWN + 3; n += 1) entries = withEntry(entries, event(String(n)));
  assert.is(entries.length, SHOWN);
  assert.equal(entries[0], event(String(SHOWN + 2)));
});

test('JSON is put on lines, and anything else left as it is', () => {
  assert.is(formatted('{"data":{"on":true}}'), '{\n  "data": {\n    "on": true\n  }\n}');
  assert.is(formatted('not JSON'), 'not JSON');
  assert.is(formatted(''), '');
});

test('each refusal says what it means', () => {
  const texts = [1, 2, 3, 4, 5].map(refusalText);
  assert.is(new Set(texts).size, 5);
  assert.is(refusalText(undefined), 'no answer from the server');
});

test.run();
