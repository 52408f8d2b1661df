import { createHash } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pageHeaders } from '../../../server/app/page-headers.js';

function headersOfPage(html = '') {
  const req = new IncomingMessage(new Socket());
  const res = new ServerResponse(req);
  let passed = false;
  pageHeaders(html)(req, res, () => {
    passed = true;
  });
  assert.ok(passed);
  return res;
}

test('a page loads and sends to its own server only, and runs no script beside its own', () => {
  const policy = String(headersOfPage().getHeader('content-security-policy'));
  const directives = new Map(policy.split(';').map((each) => [each.split(' ', 1)[0], each]));
  assert.is(directives.get('default-src'), "default-src 'none'");
  assert.is(directives.get('script-src'), "script-src 'self'");
  assert.is(directives.get('connect-src'), "connect-src 'self'");
  assert.is(directives.get('frame-ancestors'), "frame-ancestors 'none'");
  assert.is(directives.get('base-uri'), "base-uri 'none'");
  assert.is(directives.get('form-action'), "form-action 'none'");
  assert.not.match(policy, /unsafe|\*|upgrade-insecure/);
});

test('the scripts and the style that the server put into a page may run, and no others', () => {
  const html =
    '<script>1</script><script type="application/json">{}</script><style>a{}</style><script type="module">2</script>';
  const policy = String(headersOfPage(html).getHeader('content-security-policy'));
  const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  assert.match(policy, `script-src 'self' ${digest('1')} ${digest('2')};`);
  assert.match(policy, `style-src 'self' ${digest('a{}')};`);
  assert.not.match(policy, /unsafe/);
});

test('a page is framed by no other, takes nothing for another type and sends no referrer', () => {
  const res = headersOfPage();
  assert.is(res.getHeader('x-frame-options'), 'DENY');
  assert.is(res.getHeader('x-content-type-options'), 'nosniff');
  assert.is(res.getHeader('referrer-policy'), 'no-referrer');
  assert.is(res.getHeader('cross-origin-opener-policy'), 'same-origin');
  assert.is(res.getHeader('cross-origin-resource-policy'), 'same-origin');
  assert.is(res.getHeader('x-powered-by'), undefined);
});

test.run();
