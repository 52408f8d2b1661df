import { createECDH, createPublicKey, verify } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  encrypt,
  isPublicKey,
  newVapidKey,
  PLAINTEXT_BYTES,
  vapidAuthorization,
} from '../../../server/alerts/web-push.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'base64url');

/** The worked example of RFC 8291, appendix A. */
const EXAMPLE = {
  plaintext: 'When I grow up, I want to be a watermelon',
  sender: 'yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw',
  p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
  auth: 'BTBZMqHH6r4Tts7J_aSIgg',
  salt: 'DGv6ra1nlYgDCS1FRnbzlw',
  body: 'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
};

const RECEIVER = { p256dh: bytes(EXAMPLE.p256dh), auth: bytes(EXAMPLE.auth) };

test('the worked example of RFC 8291', () => {
  const sender = createECDH('prime256v1');
  sender.setPrivateKey(bytes(EXAMPLE.sender));
  const body = encrypt(Buffer.from(EXAMPLE.plaintext), RECEIVER, sender, bytes(EXAMPLE.salt));
  assert.is(body.toString('base64url'), EXAMPLE.body);
});

test('a message has a key and a salt of its own, and the longest one has 4,096 bytes', () => {
  const plaintext = Buffer.alloc(PLAINTEXT_BYTES);
  const [one, other] = [encrypt(plaintext, RECEIVER), encrypt(plaintext, RECEIVER)];
  assert.equal([PLAINTEXT_BYTES, one.length], [3993, 4096]);
  assert.not.ok(one.subarray(0, 86).equals(other.subarray(0, 86)));
  assert.throws(() => encrypt(Buffer.alloc(PLAINTEXT_BYTES + 1), RECEIVER), /longer than 3993 bytes/);
});

test('only a point of the curve is a public key', () => {
  assert.ok(isPublicKey(RECEIVER.p256dh));
  const moved = Buffer.from(RECEIVER.p256dh);
  moved[64] = (moved[64] ?? 0) ^ 1;
  for (const wrong of [moved, RECEIVER.p256dh.subarray(1), Buffer.alloc(65), Buffer.alloc(65, 4)]) {
    assert.not.ok(isPublicKey(wrong));
  }
});

test('the sender signs the origin of the push service, for at most a day', () => {
  const key = newVapidKey();
  const now = Date.parse('2026-11-26T12:00:00Z');
  const header = vapidAuthorization(
    new URL('https://push.example:8443/a/b?c'),
    'mailto:a@example.org',
    key,
    now,
  );
  const [, token = '', k] = /^vapid t=([^,]+), k=(.+)$/.exec(header) ?? [];
  assert.is(k, key.id);
  const [head = '', claims = '', signature = ''] = token.split('.');
  assert.equal(JSON.parse(String(bytes(head))), { typ: 'JWT', alg: 'ES256' });
  assert.equal(JSON.parse(String(bytes(claims))), {
    aud: 'https://push.example:8443',
    exp: now / 1000 + 12 * 3600,
    sub: 'mailto:a@example.org',
  });
  const point = bytes(key.id);
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' } as never);
  const signed = Buffer.from(`${head}.${claims}`);
  assert.ok(verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, bytes(signature)));
});

test.run();
