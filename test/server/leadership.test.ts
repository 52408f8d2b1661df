import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { alone, whileLeading } from '../../server/leadership.js';
import { elected } from './elected.js';

/** Work that notes its begins and ends. */
function noted(): { begin: () => () => void; notes: string[] } {
  const notes: string[] = [];
  const begin = () => {
    notes.push('begun');
    return () => notes.push('ended');
  };
  return { begin, notes };
}

test('a server that is alone works from the beginning to the end', () => {
  const { begin, notes } = noted();
  const end = whileLeading(alone, begin);
  assert.equal(notes, ['begun']);
  end();
  assert.equal(notes, ['begun', 'ended']);
});

test('work begins anew each time that the server leads, and ends in the same turn', () => {
  const { begin, notes } = noted();
  const leadership = elected();
  const end = whileLeading(leadership, begin);
  assert.equal(notes, []);
  for (const leads of [true, true, false, false, true]) leadership.lead(leads);
  assert.equal(notes, ['begun', 'ended', 'begun']);
  end();
  leadership.lead(true);
  assert.equal(notes, ['begun', 'ended', 'begun', 'ended']);
});

test.run();
