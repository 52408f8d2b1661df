import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type KeyPair, KeyPairUnusable, parseKeyPair } from '../../../server/tls/key-pair.js';
import { deviceCertificate, openAuthority, serverCertificate } from './authority.js';

let pair: KeyPair;
let other: KeyPair;
let chain: string;

test.before(async () => {
  const authority = await openAuthority();
  pair = await serverCertificate(authority);
  other = await deviceCertificate(authority, 'd');
  chain = pair.certificate + authority.certificate;
});

const complaint = (certificates: string, key: string): string => {
  try {
    parseKeyPair(certificates, key, '/some/file.pem');
  } catch (error) {
    assert.instance(error, KeyPairUnusable);
    return (error as Error).message;
  }
  assert.unreachable('it was taken');
  return '';
};

test('a pair is found in one text or two, with any text around the blocks', () => {
  assert.equal(parseKeyPair(pair.certificate, pair.key, 'f'), pair);
  const text = `of my server\n${pair.key}and\n${pair.certificate}\n`;
  assert.equal(parseKeyPair(text, text, 'f'), pair);
  const onWindows = (pair.certificate + pair.key).replaceAll('\n', '\r\n');
  assert.ok(parseKeyPair(onWindows, onWindows, 'f'));
});

test('the certificates that follow the first are kept', () => {
  assert.equal(parseKeyPair(chain, pair.key, 'f'), { certificate: chain, key: pair.key });
});

test('files that are not a pair are refused in one line that names the file', () => {
  const damaged = pair.certificate.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA');
  const cases: [string, string, RegExp][] = [
    ['', pair.key, /^\/some\/file\.pem holds no certificate in PEM$/],
    [pair.key, pair.key, /holds no certificate/],
    [pair.certificate, '', /^\/some\/file\.pem holds no key in PEM$/],
    [pair.certificate.slice(0, -40), pair.key, /holds no certificate/],
    [pair.certificate, pair.key.slice(0, -40), /holds no key/],
    [pair.certificate, other.key, /the key is not the certificate's$/],
    [damaged, pair.key, /^\/some\/file\.pem: /],
  ];
  for (const [certificates, key, expected] of cases) {
    const said = complaint(certificates, key);
    assert.match(said, expected);
    assert.not.match(said, '\n');
  }
});

test.run();
