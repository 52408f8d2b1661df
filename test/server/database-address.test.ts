import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseAddress } from '../../server/database-address.js';

const test = suite<{ directory: string }>('the address of a database');

test.before(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'twin-address-'));
});
test.after(({ directory }) => rm(directory, { recursive: true }));

const refusal = (text: string): string => {
  try {
    parseAddress(text);
  } catch (error) {
    return (error as Error).message;
  }
  assert.unreachable(`it was taken: ${text}`);
  return '';
};

test('it has hosts, a user, a password and a database', () => {
  const { hosts, user, password, database, tls, shown } = parseAddress(
    'postgres://twin:a%40b@localhost,127.0.0.1:5433,[::1]:5434/alarm',
  );
  assert.equal(hosts, [
    { host: 'localhost', port: 5432 },
    { host: '127.0.0.1', port: 5433 },
    { host: '::1', port: 5434 },
  ]);
  assert.equal([user, password, database, tls], ['twin', 'a@b', 'alarm', false]);
  assert.is(shown, 'postgres://twin@localhost,127.0.0.1:5433,[::1]:5434/alarm');
});

test('a host on another machine needs a sslmode', () => {
  assert.match(refusal('postgres://a:b@127.0.0.1,db.example/alarm'), 'sslmode is one of');
  assert.is(parseAddress('postgres://a:b@db.example/alarm?sslmode=disable').tls, false);
  assert.match(refusal('postgres://a:b@db.example/alarm?sslmode=prefer'), 'sslmode is one of');
});

test('sslmode and sslrootcert say what is believed, as in libpq', ({ directory }) => {
  const file = join(directory, 'authority.pem');
  writeFileSync(file, 'an authority');
  const tlsOf = (query: string): ConnectionOptions =>
    parseAddress(`postgres://a:b@db.example/alarm?${query}`).tls || {};
  const isAnyName = (tls: ConnectionOptions) => tls.checkServerIdentity !== undefined;
  assert.equal(tlsOf('sslmode=require'), { rejectUnauthorized: false });
  assert.ok(isAnyName(tlsOf('sslmode=verify-ca')));
  for (const mode of ['require', 'verify-ca']) {
    const tls = tlsOf(`sslmode=${mode}&sslrootcert=${file}`);
    assert.is(tls.ca, 'an authority');
    assert.is(tls.rejectUnauthorized, undefined);
    assert.ok(isAnyName(tls));
  }
  assert.equal(tlsOf(`sslmode=verify-full&sslrootcert=${file}`), { ca: 'an authority' });
  assert.match(
    refusal(`postgres://a:b@h/d?sslmode=verify-full&sslrootcert=${file}.not`),
    /^sslrootcert cannot be read: /,
  );
});

test('writes go to the host that takes them, and the parameter may say so', () => {
  const address = 'postgres://a:b@localhost/alarm?target_session_attrs=';
  assert.is(parseAddress(`${address}read-write`).database, 'alarm');
  assert.match(refusal(`${address}any`), 'can only be read-write');
});

test('anything else is refused, and no message has the password', () => {
  for (const wrong of [
    'http://a:secret@localhost/alarm',
    'postgres://localhost/alarm',
    'postgres://a@localhost/alarm',
    'postgres://a:secret@localhost',
    'postgres://a:secret@localhost:99999/alarm',
    'postgres://a:secret@localhost:x/alarm',
    'postgres://a:secret%@localhost/alarm',
    'postgres://a:secret@localhost/alarm?connect_timeout=1',
  ]) {
    assert.match(
      refusal(wrong),
      /^(expected postgres:\/\/user:password@|the parameter connect_timeout)/,
      wrong,
    );
    assert.not.match(refusal(wrong), 'secret');
  }
});

test.run();
