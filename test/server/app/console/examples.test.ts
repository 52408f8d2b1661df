import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXAMPLES } from '../../../../server/app/console/examples.js';
import { parseRequestTopic } from '../../../../shared/topics.js';

test('get, put and patch of both documents are ready, each as a request that is one', () => {
  const names = EXAMPLES.map(({ name }) => name);
  for (const document of ['desired', 'current']) {
    for (const action of ['get', 'put', 'patch']) assert.ok(names.includes(`${action} ${document}`));
  }
  for (const { topic, payload } of EXAMPLES.flatMap(({ messages }) => messages)) {
    assert.ok(parseRequestTopic(topic) !== undefined, topic);
    assert.type(JSON.parse(payload), 'object');
  }
});

test('two writers of one version are ready, and the second is too late', () => {
  const messages = EXAMPLES.find(({ name }) => name === 'version mismatch')?.messages ?? [];
  const versions = messages.map(({ payload }) => JSON.parse(payload).version);
  assert.equal(versions, [undefined, undefined, 1, 1]);
});

test.run();
