import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NO_NUMBERS, type Numbers, numbered } from '../../../server/homeassistant/numbers.js';
import type { ContactKind } from '../../../shared/panel.js';

const contacts = (kinds: { [name: string]: ContactKind }) =>
  Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, { open: false, kind }]));
const shown = ({ contacts: all }: Numbers): string =>
  all.map(({ name, number }) => `${name} ${number}`).join();

const FIRST = numbered(NO_NUMBERS, contacts({ door: 'entry', window: 'instant' }));

test('contacts are numbered in the order of the report, and keep their numbers in another order', () => {
  assert.is(shown(FIRST), 'door 1,window 2');
  assert.is(shown(numbered(FIRST, contacts({ window: 'instant', door: 'entry' }))), 'window 2,door 1');
});

test('a renamed contact keeps its number, if its kind stays', () => {
  assert.is(shown(numbered(FIRST, contacts({ door: 'entry', skylight: 'instant' }))), 'door 1,skylight 2');
  assert.is(shown(numbered(FIRST, contacts({ door: 'entry', lid: 'always' }))), 'door 1,lid 3');
  assert.is(shown(numbered(FIRST, contacts({ a: 'instant', b: 'entry' }))), 'a 2,b 1');
});

test('a number that was given is not given again', () => {
  const fewer = numbered(FIRST, contacts({ door: 'entry' }));
  assert.is(shown(numbered(fewer, contacts({ door: 'entry', attic: 'instant' }))), 'door 1,attic 3');
});

test('a contact may have the name of what every object has', () => {
  const now = numbered(
    FIRST,
    contacts(
      Object.fromEntries([
        ['constructor', 'entry'],
        ['window', 'instant'],
      ]),
    ),
  );
  assert.is(shown(now), 'constructor 1,window 2');
  assert.is(shown(numbered(now, contacts({ window: 'instant' }))), 'window 2');
});

test.run();
