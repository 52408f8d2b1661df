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
    ({ name, version, document }) =>
      sent.push(document === undefined ? `${name} deleted at ${version}` : `${name} ${version}`),
  );
});

const BORN = { createdAt: '2026-03-01T00:00:00.000Z', tag: 'b' };

function offer(name: string, version: number): void {
  const document = new Document('id', name, version, '', '{}', BORN);
  pushes.offer({ twinId: 'id', name, version, document, origin: undefined });
}

const offerDeletion = (name: string, version: number) =>
  pushes.offer({ twinId: 'id', name, version, origin: undefined });

function release(): void {
  held = false;
  pushes.resume();
  pushes.resume();
}

test('a change is sent at once when the client can take it', () => {
  offer('a', 1);
  offer('a', 2);
  offerDeletion('a', 2);
  offer('a', 1);
  assert.equal(sent, ['a 1', 'a 2', 'a deleted at 2', 'a 1']);
});

test('of the waiting changes only the last of each document is sent, also when it is a deletion', () => {
  held = true;
  for (const version of [4, 5, 6]) for (const name of ['a', 'b', 'c']) offer(name, version);
  offerDeletion('b', 6);
  assert.equal(sent, []);
  release();
  assert.equal(sent, ['a 6', 'c 6', 'b deleted at 6']);
});

test('an older state never follows a newer one', () => {
  held = true;
  offer('a', 1);
  held = false;
  offer('a', 2);
  pushes.resume();
  assert.equal(sent, ['a 2']);
});

test('a document that is deleted and created again while its changes wait is sent as the new one, not as deleted', () => {
  held = true;
  offerDeletion('a', 7);
  offer('a', 1);
  release();
  assert.equal(sent, ['a 1']);
});

test('a waiting deletion is not sent after the document that was created again', () => {
  held = true;
  offerDeletion('a', 7);
  held = false;
  offer('a', 1);
  pushes.resume();
  assert.equal(sent, ['a 1']);
});

test('a document that is deleted, created and deleted again while its changes wait is sent as deleted', () => {
  held = true;
  offerDeletion('a', 7);
  offer('a', 1);
  offerDeletion('a', 1);
  release();
  assert.equal(sent, ['a deleted at 1']);
});

test('documents that come and go while changes wait leave nothing behind', () => {
  held = true;
  for (let count = 0; count < 1000; count++) {
    offer(`a${count}`, 1);
    offer(`a${count}`, 2);
    offerDeletion(`a${count}`, 2);
  }
  release();
  assert.equal(sent, []);
});

test.run();
