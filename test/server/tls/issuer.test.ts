import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
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

test('each of many requests at once gets its own certificate', async () => {
  const issuer = new Issuer();
  const names = Array.from({ length: 10 }, (_, n) => `a${n}`);
  const made = await Promise.all(names.map((name) => issuer.issue(request(name))));
  assert.equal(
    made.map(subjectOf),
    names.map((name) => `CN=${name}`),
  );
  await issuer.close();
});

test('a certificate that cannot be made is an error for its request, and for no other', async () => {
  const issuer = new Issuer();
  const impossible = { ...request('a'), issuer: { certificate: 'none', key: 'none' } };
  const outcomes = await Promise.allSettled([issuer.issue(impossible), issuer.issue(request('b'))]);
  const [refused, made] = outcomes;
  assert.match(refused.status === 'rejected' ? refused.reason.message : '', 'no certificate could be made: ');
  assert.is(made.status === 'fulfilled' && subjectOf(made.value), 'CN=b');
  await issuer.close();
});

test('a request that waits at a stop fails', async () => {
  const issuer = new Issuer();
  const waiting = issuer.issue(request('a')).then(
    () => 'made',
    () => 'refused',
  );
  await issuer.close();
  assert.is(await waiting, 'refused');
});

/** How a process ends that runs this with an issuer and does nothing more. */
async function endOf(program: string): Promise<unknown> {
  const module = new URL('../../../server/tls/issuer.ts', import.meta.url).href;
  const text = `import { Issuer } from ${JSON.stringify(module)}; const issuer = new Issuer(); ${program}`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text]);
  const [said] = await Promise.all([child.stdout.toArray(), once(child, 'exit')]);
  return { code: child.exitCode, said: said.join('') };
}

test('an issuer that was never used closes', async () => {
  assert.equal(await endOf("await issuer.close(); console.log('closed');"), { code: 0, said: 'closed\n' });
});

test('an idle thread lets the process end', async () => {
  const program = `const { certificate } = await issuer.issue(${JSON.stringify(request('a'))}); console.log(certificate);`;
  const { code, said } = (await endOf(program)) as { code: number; said: string };
  assert.is(code, 0);
  assert.is(new X509Certificate(said).subject, 'CN=a');
});

test.run();
