import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { element } from '../../../server/app/inline.js';

test('a text stands in a page as it is', () => {
  assert.is(element('script', ' type="module"', 'a < b && $1'), '<script type="module">a < b && $1</script>');
});

test('a text that would end its element, or begin a comment, does not come into a page', () => {
  for (const text of ["'</script>'", '</STYLE >', "'<!--'"])
    assert.throws(() => element('script', '', text), /cannot stand in a script/);
});

test.run();
