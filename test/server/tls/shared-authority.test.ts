import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { Authority } from '../../../server/tls/authority.js';
import { fileKeeper } from '../../../server/tls/authority-keeper.js';
import { issue } from '../../../server/tls/issue.js';
import { KeyPairUnusable } from '../../../server/tls/key-pair.js';
import { sharedKeeper } from '../../../server/tls/shared-authority.js';
import { deviceCertificate, openAuthority, temporaryDirectory, x509 } from './authority.js';

const SECRET = 'sixteen characters';

interface Context {
  storage: MemoryStorage;
  /** A server with this secret and this directory. */
  open(secret?: string, directory?: string): Promise<Authority>;
  stored(): string;
}

const test = suite<Context>('the authority of several servers');

test.before.each((context) => {
  const storage = memoryStorage();
  context.storage = storage;
  context.open = (secret = '', directory = temporaryDirectory()) =>
    Authority.open(sharedKeeper(storage, secret, fileKeeper(directory)), issue);
  context.stored = () => storage.stored('authority').get('authority')?.data ?? '';
});

async function refusal(opening: Promise<Authority>): Promise<string> {
  try {
    await opening;
  } catch (error) {
    assert.instance(error, KeyPairUnusable);
    return (error as Error).message;
  }
  assert.unreachable('it was opened');
  return '';
}

test('servers that start at the same time have one authority, and it is not in their directories', async ({
  open,
}) => {
  const directories = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()];
  const authorities = await Promise.all(directories.map((directory) => open('', directory)));
  assert.is(new Set(authorities.map(({ certificate }) => certificate)).size, 1);
  const [one, other] = authorities as [Authority, Authority];
  assert.ok(other.signed(x509(await deviceCertificate(one, 'd'))));
  for (const directory of directories) assert.equal(readdirSync(directory), []);
});

test('a server that moves to a shared storage brings its authority along, and the next one takes it', async ({
  open,
}) => {
  const directory = temporaryDirectory();
  const { certificate } = await openAuthority(directory);
  assert.is((await open('', directory)).certificate, certificate);
  const other = temporaryDirectory();
  await openAuthority(other);
  assert.is((await open('', other)).certificate, certificate);
});

test('a damaged authority is not brought along', async ({ open, stored }) => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'authority.pem'), 'damaged');
  assert.match(await refusal(open('', directory)), 'authority.pem holds no certificate in PEM');
  assert.is(stored(), '');
});

test('with a secret the key is sealed, and only that secret opens it', async ({ open, stored }) => {
  const { certificate } = await open(SECRET);
  assert.not.ok(stored().includes('PRIVATE KEY'));
  assert.is((await open(SECRET)).certificate, certificate);
  assert.match(await refusal(open()), 'is sealed: set the TWIN_AUTHORITY_SECRET of the other servers');
  assert.match(await refusal(open('another secret..')), 'sealed with another TWIN_AUTHORITY_SECRET');
});

test('a stored authority is sealed by the first server that has a secret, and stays the same', async ({
  open,
  stored,
}) => {
  const { certificate } = await open();
  assert.match(stored(), 'PRIVATE KEY');
  const opened = await Promise.all([open(SECRET), open(SECRET)]);
  for (const authority of opened) assert.is(authority.certificate, certificate);
  assert.not.ok(stored().includes('PRIVATE KEY'));
  assert.is((await open(SECRET)).certificate, certificate);
});

test('a sealed text that was changed is refused', async ({ open, storage, stored }) => {
  await open(SECRET);
  const { sealed } = JSON.parse(stored());
  const text = `${sealed.text.startsWith('A') ? 'B' : 'A'}${sealed.text.slice(1)}`;
  const document = { version: 2, updatedAt: '', data: JSON.stringify({ sealed: { ...sealed, text } }) };
  await new Promise((done) => storage.change('authority', () => ({ key: 'authority', document }), done));
  assert.match(await refusal(open(SECRET)), 'sealed with another TWIN_AUTHORITY_SECRET');
});

test.run();
