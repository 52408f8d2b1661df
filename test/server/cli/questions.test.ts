/** What commands ask the person at the terminal. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UsageError } from '../../../shared/usage.js';
import { startTestRest, type TestRest } from '../rest/rest.js';
import { answer, failure } from './command-line.js';

const test = suite<{ rest: TestRest; id: string }>('questions');

test.before.each(async (context) => {
  context.rest = await startTestRest();
  context.id = (await context.rest.newDevice()).id;
});
test.after.each(({ rest }) => rest.close());

const exists = async (rest: TestRest, id: string): Promise<boolean> =>
  (await rest.ask('GET', `/devices/${id}`)).status === 200;

test('a device is deleted when the answer is yes', async ({ rest, id }) => {
  for (const no of ['', 'n', 'no', 'yesterday']) {
    const error = await failure(rest, ['device', 'delete', id], { ask: async () => no });
    assert.is(error.message, 'nothing was deleted');
    assert.ok(await exists(rest, id));
  }
  let asked = '';
  const ask = async (question: string): Promise<string> => {
    asked = question;
    return 'Yes';
  };
  assert.is(await answer(rest, ['device', 'delete', id], ask), 'done\n');
  assert.is(asked, `Delete the device test (${id}) and its twin with all documents? [y/N] `);
  assert.not.ok(await exists(rest, id));
});

test('without a terminal a device is deleted only with --yes', async ({ rest, id }) => {
  const error = await failure(rest, ['device', 'delete', id]);
  assert.instance(error, UsageError);
  assert.match(error.message, '--yes');
  assert.ok(await exists(rest, id));
  assert.is(
    await answer(rest, ['device', 'delete', id, '--yes', '--json'], undefined),
    `{"id":"${id}","deleted":true}\n`,
  );
});

test('a phone gets the name that the person gives, or "phone"', async ({ rest }) => {
  for (const [typed, name] of [
    ['kitchen tablet', 'kitchen tablet'],
    ['', 'phone'],
  ] as const) {
    const said = await answer(rest, ['pair'], async () => typed);
    const [, id] = /To end it: npm run twin -- token revoke (\S+)$/m.exec(said) ?? [];
    const { tokens } = (await rest.ask('GET', '/tokens')).body;
    assert.is(tokens.find((token: { id: string }) => token.id === id)?.description, name);
    assert.match(said, `"${name}" has the role app for all twins.`);
  }
});

test('a phone may be for a time', async ({ rest }) => {
  const args = ['pair', '--description', 'guest', '--expires', '2999-01-31T12:00:00Z'];
  assert.match(
    await answer(rest, args, undefined),
    '"guest" has the role app for all twins, until 2999-01-31T12:00:00.000Z.',
  );
});

test.run();
