import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { serverNames } from '../../../server/names.js';
import type { Authority } from '../../../server/tls/authority.js';
import { KeyPairUnusable } from '../../../server/tls/key-pair.js';
import {
  givenCertificate,
  ownCertificate,
  type ServerCertificate,
} from '../../../server/tls/server-certificate.js';
import { TLS_LIMITS, type TlsLimits } from '../../../server/tls/tls.js';
import {
  daysFromNow,
  deviceCertificate,
  openAuthority,
  serverCertificate,
  temporaryDirectory,
  x509,
} from './authority.js';

interface Context {
  directory: string;
  authority: Authority;
  /** The server's own, in the directory. */
  own(changes?: { names?: string[] } & Partial<TlsLimits>, now?: () => Date): ServerCertificate;
  log: { level: number; reason?: string; because?: string }[];
}

const test = suite<Context>('the certificate of the server');

test.before.each(async (context) => {
  context.directory = temporaryDirectory();
  context.authority = await openAuthority(context.directory);
  context.log = [];
  const log = pino({ level: 'info' }, { write: (line: string) => context.log.push(JSON.parse(line)) });
  context.own = ({ names = [], ...limits } = {}, now = () => new Date()) =>
    ownCertificate({
      directory: context.directory,
      authority: context.authority,
      names,
      limits: { ...TLS_LIMITS, ...limits },
      log,
      now,
    });
});

test('it is made for the given names, kept, and found again', async ({ own, authority }) => {
  const names = ['alarm.example', '192.0.2.7', '2001:db8::7'];
  const made = await own({ names })();
  const certificate = x509(made);
  assert.ok(authority.signed(certificate));
  assert.is(certificate.subject, 'CN=alarm.example');
  for (const host of ['alarm.example', 'localhost']) assert.ok(certificate.checkHost(host), host);
  for (const ip of ['192.0.2.7', '2001:db8::7', '127.0.0.1', '::1']) assert.ok(certificate.checkIP(ip), ip);
  assert.equal(await own({ names })(), made);
});

test('its key is in a file that only its owner can read', async ({ own, directory }) => {
  await own()();
  assert.is(statSync(join(directory, 'server.pem')).mode & 0o777, 0o600);
});

test('it is renewed before it ends, and not earlier', async ({ own }) => {
  const limits = { serverDays: 100, renewDays: 10 };
  const made = await own(limits)();
  assert.equal(await own(limits, () => daysFromNow(89))(), made);
  const renewed = await own(limits, () => daysFromNow(91))();
  assert.is.not(renewed.certificate, made.certificate);
  assert.is.not(renewed.key, made.key);
});

test('one that was made while the clock was ahead is made again when the clock is right', async ({
  own,
  directory,
  log,
}) => {
  const ahead = () => daysFromNow(400);
  const authorityAhead = await openAuthority(directory, ahead);
  const parts = { directory, authority: authorityAhead, names: [], limits: TLS_LIMITS, now: ahead };
  const made = await ownCertificate({ ...parts, log: pino({ level: 'silent' }) })();
  const again = await own()();
  assert.is.not(again.certificate, made.certificate);
  assert.ok(new Date(x509(again).validFrom) < new Date());
  assert.is(log.at(-1)?.because, 'it is not valid yet');
  assert.equal(await own()(), again);
});

test('it is not made again because of a clock that was never set', async ({ own }) => {
  const made = await own()();
  assert.equal(await own({}, () => new Date(60_000))(), made);
});

test('one that ends with the authority is not renewed, because the next would end then too', async ({
  own,
}) => {
  const limits = { serverDays: 10_000 };
  const made = await own(limits)();
  assert.equal(await own(limits, () => daysFromNow(3650))(), made);
});

test('it is made again when a name is added or a given one is removed', async ({ own, log }) => {
  const [one, two] = [['alarm.example'], ['alarm.example', 'other.example']];
  await own({ names: one })();
  assert.ok(x509(await own({ names: two })()).checkHost('other.example'));
  assert.is(x509(await own({ names: one })()).checkHost('other.example'), undefined);
  assert.equal(
    log.map(({ because }) => because),
    ['there is none', 'it lacks a name', 'it has a name that is not wanted any more'],
  );
});

test('it is kept when an address of this machine has gone', async ({ own, directory, authority }) => {
  const names = [...serverNames([]), '198.51.100.1'].map((value) => ({
    type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const),
    value,
  }));
  const kept = await authority.issue({ usage: 'server', commonName: 'localhost', names, days: 100 });
  writeFileSync(join(directory, 'server.pem'), kept.certificate + kept.key);
  assert.equal(await own()(), kept);
});

test('one of another authority is made again', async ({ own, directory }) => {
  const stranger = await serverCertificate(await openAuthority());
  writeFileSync(join(directory, 'server.pem'), stranger.certificate + stranger.key);
  assert.is.not((await own()()).certificate, stranger.certificate);
});

test('a damaged one is named in the log and made again', async ({ own, directory, log, authority }) => {
  const path = join(directory, 'server.pem');
  for (const damaged of ['', 'x', '\0'.repeat(500)]) {
    writeFileSync(path, damaged);
    assert.ok(authority.signed(x509(await own()())));
  }
  const warnings = log.filter(({ level }) => level === 40);
  assert.is(warnings.length, 3);
  for (const { reason = '' } of warnings) assert.ok(reason.startsWith(path), reason);
});

test('a given pair is read again each time, from two files or one', async ({ directory, authority }) => {
  const [tlsCert, tlsKey, both] = ['crt', 'key', 'both'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  for (const pair of [await serverCertificate(authority), await deviceCertificate(authority, 'd')]) {
    writeFileSync(tlsCert, pair.certificate);
    writeFileSync(tlsKey, pair.key);
    writeFileSync(both, pair.certificate + pair.key);
    assert.equal(await givenCertificate({ tlsCert, tlsKey })(), pair);
    assert.equal(await givenCertificate({ tlsCert: both, tlsKey: both })(), pair);
  }
});

test('given files that are not a pair are refused with their names', async ({ directory, authority }) => {
  const [tlsCert, tlsKey] = [join(directory, 'crt'), join(directory, 'key')];
  const pair = await serverCertificate(authority);
  const given = givenCertificate({ tlsCert, tlsKey });
  const complaint = async () => {
    try {
      await given();
    } catch (error) {
      assert.instance(error, KeyPairUnusable);
      return (error as Error).message;
    }
    assert.unreachable('it was taken');
    return '';
  };
  assert.match(await complaint(), `TWIN_TLS_CERT=${tlsCert} cannot be read: ENOENT`);
  writeFileSync(tlsCert, pair.certificate);
  assert.match(await complaint(), `TWIN_TLS_KEY=${tlsKey} cannot be read: ENOENT`);
  writeFileSync(tlsKey, '');
  assert.is(await complaint(), `${tlsCert} with ${tlsKey} holds no key in PEM`);
  writeFileSync(tlsKey, (await serverCertificate(authority)).key);
  assert.is(await complaint(), `${tlsCert} with ${tlsKey}: the key is not the certificate's`);
});

test('a given file stays as it is, with its mode', async ({ directory, authority }) => {
  const path = join(directory, 'given');
  const pair = await serverCertificate(authority);
  writeFileSync(path, pair.certificate + pair.key);
  chmodSync(path, 0o640);
  await givenCertificate({ tlsCert: path, tlsKey: path })();
  assert.is(statSync(path).mode & 0o777, 0o640);
  assert.is(readFileSync(path, 'utf8'), pair.certificate + pair.key);
});

test.run();
