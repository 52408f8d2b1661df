import polka from 'polka';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { rememberPaths } from '../../../server/rest/router.js';

const app = polka()
  .get('/twins/:twin_id', () => {})
  .put('/twins/:twin_id', () => {});

function counted() {
  const asked: string[] = [];
  const find = rememberPaths((method, path) => {
    asked.push(`${method} ${path}`);
    return app.find(method, path);
  });
  return { asked, find };
}

test('a path is matched once for each method', () => {
  const { asked, find } = counted();
  for (const path of ['/twins/a', '/twins/b', '/twins/a', '/twins/b']) {
    assert.equal(find('GET', path).params, { twin_id: path.slice(-1) });
  }
  assert.is.not(find('PUT', '/twins/a').handlers[0], find('GET', '/twins/a').handlers[0]);
  assert.equal(asked, ['GET /twins/a', 'GET /twins/b', 'PUT /twins/a']);
});

test('a path without a route and a long one are not kept', () => {
  const { asked, find } = counted();
  const long = `/twins/${'x'.repeat(300)}`;
  for (const path of ['/nowhere', long, '/nowhere', long]) find('GET', path);
  assert.is(asked.length, 4);
});

test.run();
