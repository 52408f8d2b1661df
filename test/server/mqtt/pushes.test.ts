import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pushes } from '../../../server/mqtt/pushes.js';
import { Document } from '../../../server/twins/document.js';

let held: boolean;
let sent: string[];
let pushes: Pushes;

test.before.each(() => {
  held = false;
  sent = [];
  pushes = new Pushes(
    () => held,
    (document) => sent.push(`${document.name} ${document.version}`),
  );
});

const BORN = { createdAt: '2026-03-01T00:00:00.000Z', tag: 'b' };
const offer = (name: string, version: number) =>
  pushes.offer(new Document('id', name, version, '', '{}', BORN));

test('what can be sent is sent at once', () => {
  offer('a', 1);
  offer('a', 2);
  assert.equal(sent, ['a 1', 'a 2']);
});

test('of what waits only the newest of each document is sent, and a deleted one is not', () => {
  held = true;
  for (const version of [1, 2, 3]) for (const name of ['a', 'b', 'c']) offer(name, version);
  pushes.forget('b');
  assert.equal(sent, []);
  held = false;
  pushes.resume();
  pushes.resume();
  assert.equal(sent, ['a 3', 'c 3']);
});

test('an older state never follows a newer one', () => {
  held = true;
  offer('a', 1);
  held = false;
  offer('a', 2);
  pushes.resume();
  assert.equal(sent, ['a 2']);
});

test.run();
