import { parseArgs } from 'node:util';
import { closestMatch } from 'leven';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { failureText, matching, required, UsageError, understood } from '../../shared/usage.js';

test('a refusal of parseArgs is one line', () => {
  const options = { role: { type: 'string' as const } };
  for (const args of [['--frob'], ['--role'], ['--role', '--json'], ['word']]) {
    try {
      understood(() => parseArgs({ args, options }), options, closestMatch);
      assert.unreachable(args.join(' '));
    } catch (error) {
      assert.instance(error, UsageError, args.join(' '));
      assert.not.match((error as Error).message, '\n');
    }
  }
});

test('an option that is missing or has another form is named', () => {
  assert.throws(() => required('server', undefined), /--server is missing/);
  assert.throws(() => required('server', ''), /--server is missing/);
  assert.throws(() => matching('name', 'a b', /^\w+$/, 'a word'), /--name: expected a word/);
  assert.is(matching('name', required('name', 'ab'), /^\w+$/, 'a word'), 'ab');
});

test('only a message about a wrong command line says where the help is', () => {
  assert.is(failureText('panel', new UsageError('no')), 'panel: no (see npm run panel -- --help)');
  assert.is(failureText('panel', new Error('disk full')), 'panel: disk full');
  assert.is(failureText('panel', 'x'), 'panel: x');
});

test.run();
