import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Api, Failed } from '../../../../../server/app/page/client/api.js';
import { SettingsWork } from '../../../../../server/app/page/client/settings-work.js';
import type { Token } from '../../../../../server/app/page/state/settings.js';
import { ID, TOKEN } from '../state/world.js';

const token = (id: string, more: Partial<Token> = {}): Token => ({
  id,
  role: 'owner',
  description: '',
  twin_ids: null,
  last_seen_at: null,
  ...more,
});

/** @param answers by method and path; an error is thrown */
function workOn(answers: Record<string, unknown>) {
  const told: string[] = [];
  const api = new Api('/iot', TOKEN, () => undefined);
  const ask = async (method: string, path: string): Promise<unknown> => {
    told.push(`${method} ${path}`);
    const answer = answers[`${method} ${path}`];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const work = new SettingsWork({
    api: Object.assign(api, { ask }),
    onEnded: () => told.push('ended'),
    onRenamed: () => told.push('renamed'),
    load: async () => undefined,
    fail: (error) => told.push(String(error)),
  });
  return { work, told };
}

test('an owner of all panels sees every token, its own one first', async () => {
  const [own, other] = [token('own'), token('other')];
  const { work } = workOn({ 'GET /tokens/self': own, 'GET /tokens': { tokens: [other, own] } });
  assert.equal(await work.tokens(), [own, other]);
});

test('another token sees only itself', async () => {
  for (const own of [token('a', { role: 'app' }), token('b', { twin_ids: [ID] })]) {
    const { work, told } = workOn({ 'GET /tokens/self': own });
    assert.equal(await work.tokens(), [own]);
    assert.equal(told, ['GET /tokens/self']);
  }
});

test('a phone that ends itself is unpaired', async () => {
  const { work, told } = workOn({});
  assert.is(await work.end('a', true), 'ended');
  assert.equal(told, ['DELETE /tokens/self', 'ended']);
});

test('a phone that ends another one stays paired', async () => {
  const { work, told } = workOn({});
  assert.is(await work.end('b', false), 'ended');
  assert.equal(told, ['DELETE /tokens/b']);
});

test('the last owner is refused, which is no fault of the server', async () => {
  const { work, told } = workOn({
    'DELETE /tokens/self': new Failed('server-fault', { type: 'invalid_arguments' }),
  });
  assert.is(await work.end('a', true), 'refused');
  assert.equal(told, ['DELETE /tokens/self']);
});

test('a name is kept only when the server has it', async () => {
  const away = workOn({ [`PATCH /devices/${ID}`]: new Failed('server-away') });
  assert.is(await away.work.rename(ID, 'n'), false);
  assert.equal(away.told, [`PATCH /devices/${ID}`, 'Failed: server-away']);
  const there = workOn({});
  assert.is(await there.work.rename(ID, 'n'), true);
  assert.equal(there.told, [`PATCH /devices/${ID}`, 'renamed']);
});

test.run();
