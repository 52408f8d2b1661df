import { once } from 'node:events';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { checkServer } from '../../../../firmware/desktop/board/server-check.js';
import type { Authority } from '../../../../server/tls/authority.js';
import { UsageError } from '../../../../shared/usage.js';
import { deviceCertificate, openAuthority, serverCertificate } from '../../../server/tls/authority.js';

interface Context {
  authority: Authority;
  /** What is said of a server with these certificates. */
  said: (options: TlsOptions, host?: string) => Promise<string | undefined>;
}

const test = suite<Context>('server check');

test.before(async (context) => {
  context.authority = await openAuthority();
  context.said = async (options, host = '127.0.0.1') => {
    const server = createServer(options).listen(0, '0.0.0.0');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      return await checkServer(`mqtts://${host}:${port}`, context.authority.certificate);
    } catch (error) {
      assert.instance(error, UsageError);
      return (error as Error).message;
    } finally {
      server.close();
    }
  };
});

const optionsOf = ({ certificate: cert, key }: { certificate: string; key: string }): TlsOptions => ({
  cert,
  key,
});

test('a server whose certificate is of the authority and for the address is right', async ({
  authority,
  said,
}) => {
  const pair = await serverCertificate(authority);
  assert.is(await said(optionsOf(pair)), undefined);
  const withAuthority = { ...pair, certificate: pair.certificate + authority.certificate };
  assert.is(await said(optionsOf(withAuthority)), undefined);
});

test('a certificate of another authority is refused, and --ca is named', async ({ said }) => {
  const other = await serverCertificate(await openAuthority());
  const text = (await said(optionsOf(other))) ?? '';
  assert.match(text, 'its authority is another');
  assert.match(text, '--ca FILE');
});

test('a certificate that does not cover the address is refused', async ({ authority, said }) => {
  const pair = await serverCertificate(authority);
  assert.match((await said(optionsOf(pair), '127.0.0.2')) ?? '', 'it is not for this address');
});

test('a certificate that has ended is refused', async ({ authority, said }) => {
  const pair = await serverCertificate(authority, -1);
  assert.match((await said(optionsOf(pair))) ?? '', 'it has ended');
});

test('a certificate of a device is refused, though the authority has signed it', async ({
  authority,
  said,
}) => {
  const pair = await deviceCertificate(authority, '127.0.0.1');
  assert.match((await said(optionsOf(pair))) ?? '', 'it is not for a server');
});

test('a server without the one cipher suite of the board is refused', async ({ authority, said }) => {
  const pair = await serverCertificate(authority);
  const text = await said({ ...optionsOf(pair), minVersion: 'TLSv1.3' });
  assert.match(text ?? '', 'it needs TLSv1.2 with ECDHE-ECDSA-AES128-GCM-SHA256');
});

test('a server that cannot be reached is not checked, and it is said why', async ({ authority }) => {
  const closed = createTcp().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await once(closed, 'close');
  assert.match((await checkServer(`mqtts://127.0.0.1:${port}`, authority.certificate)) ?? '', 'ECONNREFUSED');
});

test.run();
