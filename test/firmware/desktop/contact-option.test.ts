import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { checkContacts, contactFrom, wiredContactFrom } from '../../../firmware/desktop/contact-option.js';
import { UsageError } from '../../../shared/usage.js';

test('a contact has a name and a kind, and more only where it is said', () => {
  assert.equal(contactFrom('front door:entry'), { name: 'front door', kind: 'entry' });
  assert.equal(wiredContactFrom('front door:27:entry'), { name: 'front door', kind: 'entry', pin: 27 });
});

test('the words after the kind say the rest, in any order', () => {
  const rest = { modes: ['away', 'night'], inverted: true, line: 'resistor' };
  assert.equal(contactFrom('w:instant:away,night:inverted:resistor'), {
    name: 'w',
    kind: 'instant',
    ...rest,
  });
  assert.equal(contactFrom('w:instant:resistor:inverted:away,night'), {
    name: 'w',
    kind: 'instant',
    ...rest,
  });
  assert.equal(contactFrom('t:always:silent'), { name: 't', kind: 'always', silentWhileDisarmed: true });
});

function refused(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.instance(error, UsageError);
    assert.not.match((error as Error).message, '\n');
    return (error as Error).message;
  }
  return assert.unreachable() as never;
}

const checked = (...given: string[]) => checkContacts(given.map(contactFrom));

const WRONG: [what: string, given: string, reason: string][] = [
  ['no kind', 'door', 'expected NAME:KIND, such as "front door:entry"'],
  ['an unknown kind', 'door:exit', 'expected as its kind entry, instant, always, key, not "exit"'],
  ['an empty kind', 'door:', 'expected as its kind'],
  ['an unknown mode', 'door:entry:holiday', '"holiday" is neither a mode (away, home, night) nor inverted'],
  ['an unknown mode among others', 'door:entry:away,holiday', '"away,holiday" is neither'],
  ['an empty word', 'door:entry:', '"" is neither'],
  ['a word that every object has', 'door:entry:constructor', '"constructor" is neither'],
  ['an empty name', ':entry', 'a name has 1 to 32 bytes'],
  ['a name of spaces', '  :entry', 'a name has 1 to 32 bytes'],
  ['a name that ends with a space', 'door :entry', 'a name has 1 to 32 bytes'],
  ['a name that is too long', `${'d'.repeat(33)}:entry`, 'a name has 1 to 32 bytes'],
  ['a name of too many bytes', `${'é'.repeat(17)}:entry`, 'a name has 1 to 32 bytes'],
  ['a name with a line break', 'front\ndoor:entry', 'a name has 1 to 32 bytes'],
  ['a name with an escape', 'front\u001b[2J:entry', 'a name has 1 to 32 bytes'],
  ['a name that turns the direction of text', 'front\u202edoor:entry', 'a name has 1 to 32 bytes'],
  ['a name that no document may have', '__proto__:entry', 'a name has 1 to 32 bytes'],
  ['a key with modes', 'k:key:away', 'a contact of the kind key has no modes'],
  ['an always contact with modes', 'k:always:away', 'a contact of the kind always has no modes'],
  ['silence that is not for its kind', 'd:entry:silent', 'only an always contact can be silent'],
];
for (const [what, given, reason] of WRONG) {
  test(`${what} is refused in one line`, () => {
    assert.match(
      refused(() => checked(given)),
      reason,
    );
  });
}

test('a name may have up to 32 bytes, letters of any language, spaces and signs', () => {
  checked(
    `${'d'.repeat(32)}:entry`,
    `${'é'.repeat(16)}:entry`,
    'Kellertür (links):instant',
    'constructor:instant',
  );
});

test('there are up to eight contacts, each with a name of its own', () => {
  const named = (count: number) => Array.from({ length: count }, (_, index) => `c${index}:entry`);
  checked(...named(8));
  assert.match(
    refused(() => checked(...named(9))),
    'a panel has 1 to 8 contacts',
  );
  assert.match(
    refused(() => checked()),
    'a panel has 1 to 8 contacts',
  );
  assert.match(
    refused(() => checked('a:entry', 'b:entry', 'a:instant')),
    'two contacts have the name "a"',
  );
});

test('a contact with a pin needs a GPIO that a chip can have', () => {
  for (const given of ['d:x:entry', 'd::entry', 'd:49:entry', 'd:-1:entry', 'd:1e1:entry'])
    assert.match(
      refused(() => wiredContactFrom(given)),
      'expected a GPIO from 0 to 48',
    );
  assert.match(
    refused(() => wiredContactFrom('d:27')),
    'expected NAME:GPIO:KIND, such as "front door:27:entry"',
  );
});

const DOOR = { name: 'door', kind: 'entry' };
for (const [what, contacts] of [
  ['no list', { 0: DOOR, length: 1 }],
  ['an empty list', []],
  ['a contact that is none', [null]],
  ['a name that is no text', [{ ...DOOR, name: 7 }]],
  ['modes that are no list', [{ ...DOOR, modes: 'away' }]],
  ['modes of nothing', [{ ...DOOR, modes: [] }]],
  ['another line', [{ ...DOOR, line: 'optical' }]],
] as const) {
  test(`${what} in an edited file is refused as well`, () => {
    refused(() => checkContacts(contacts));
  });
}

test.run();
