import { X509Certificate } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { CertificateRequest } from '../../../server/tls/issue.js';
import { Issuer } from '../../../server/tls/issuer.js';
import { daysFromNow } from './authority.js';

const request = (commonName: string): CertificateRequest => ({
  usage: 'authority',
  commonName,
  names: [],
  notBefore: daysFromNow(-1),
  notAfter: daysFromNow(1),
  issuer: undefined,
});

const subjectOf = ({ certificate }: { certificate: string }): string =>
  new X509Certificate(certificate).subject;

test('each request gets its own certificate, however many ask at once', async () => {
  const issuer = new Issuer();
  const names = Array.from({ length: 10 }, (_, n) => `a${n}`);
  const made = await Promise.all(names.map((name) => issuer.issue(request(name))));
  assert.equal(
    made.map(subjectOf),
    names.map((name) => `CN=${name}`),
  );
  await issuer.close();
});

test('what cannot be made is an error for who asked for it, and for nobody else', async () => {
  const issuer = new Issuer();
  const impossible = { ...request('a'), issuer: { certificate: 'none', key: 'none' } };
  const outcomes = await Promise.allSettled([issuer.issue(impossible), issuer.issue(request('b'))]);
  const [refused, made] = outcomes;
  assert.match(refused.status === 'rejected' ? refused.reason.message : '', 'no certificate could be made: ');
  assert.is(made.status === 'fulfilled' && subjectOf(made.value), 'CN=b');
  await issuer.close();
});

test('whoever waits at a stop is told', async () => {
  const issuer = new Issuer();
  const waiting = issuer.issue(request('a')).then(
    () => 'made',
    () => 'refused',
  );
  await issuer.close();
  assert.is(await waiting, 'refused');
});

test('an issuer that was never used closes', () => new Issuer().close());

test('an idle thread lets the process end', async () => {
  // This file ends by itself, though nobody closes this one.
  assert.ok(await new Issuer().issue(request('a')));
});

test.run();
