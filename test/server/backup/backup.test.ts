import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digest } from '../../../server/access/secret.js';
import { backUp, restore } from '../../../server/backup/backup.js';
import { readDocuments } from '../../../server/storage/storage.js';
import { put, stored } from '../storage/contract.js';
import { DirectoryUnderTest } from '../storage/directory-under-test.js';

const test = suite('backup');
const directory = new DirectoryUnderTest();
const PASSPHRASE = 'four words of test';
const LONG = 1_000_000;

test.after.each(() => directory.remove());

/** A document with a text that no other file has. */
const secret = (name: string) => stored(1, JSON.stringify({ name: `secret-${name}` }));

/** The directory of a server that runs no longer: documents in files and in the journal, keys, and a panel's flash. */
async function makeHouse(): Promise<string> {
  const data = await directory.make();
  await mkdir(join(data, 'tls'));
  for (const [path, text] of [
    ['tls/authority.pem', 'secret-authority'],
    ['tls/ticket-keys.txt', 'secret-ticket-keys'],
    ['alerts.json', '{"channels":["secret-channel"]}'],
    ['own.key', 'secret-own'],
    ['panel-flash.json', 'armed'],
  ] as const)
    await writeFile(join(data, path), text, { mode: 0o600 });
  const first = await directory.open();
  for (const file of ['twins/a', 'alerts/vapid', 'alerts/alerts', 'tokens']) await readDocuments(first, file);
  await put(first, 'twins/a', 'd', stored(1));
  await put(first, 'alerts/vapid', 'k', secret('vapid'));
  await put(first, 'alerts/alerts', 'k', stored(1));
  await put(first, 'tokens', 'k', stored(1));
  await first.close();
  const second = await directory.open({ writeBehindMs: LONG });
  await readDocuments(second, 'twins/a');
  await readDocuments(second, 'alerts/subscriptions');
  await put(second, 'alerts/subscriptions', 'k', secret('subscription'));
  await put(second, 'twins/a', 'd', stored(2));
  await directory.crash();
  await second.close();
  return directory.data;
}

async function version(data: string): Promise<number | undefined> {
  directory.data = data;
  const storage = await directory.open();
  const found = (await readDocuments(storage, 'twins/a')).get('d')?.version;
  await storage.close();
  return found;
}

/** All files of a directory with their texts. */
async function allIn(data: string): Promise<Record<string, string>> {
  const entries = await readdir(data, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.map((file) => readFile(file, 'latin1')));
  return Object.fromEntries(files.map((file, index) => [file.slice(data.length + 1), texts[index] ?? '']));
}

/** The same with the hashes of the texts. */
async function hashesIn(data: string): Promise<Record<string, string>> {
  const texts = Object.entries(await allIn(data));
  return Object.fromEntries(texts.map(([path, text]) => [path, digest(text)]));
}

const newFile = async (): Promise<string> => join(await directory.make(), 'house.backup');

test('a backup without keys holds the documents and no key, wherever it was written', async () => {
  const data = await makeHouse();
  const file = await newFile();
  await backUp(data, file, undefined);
  const text = gunzipSync(await readFile(file)).toString('latin1');
  assert.not.match(text, 'secret-');
  assert.match(text, 'data/tokens.json');
  assert.is((await stat(file)).mode & 0o777, 0o600);
  assert.equal(
    (await readdir(data)).filter((name) => name.startsWith('before-')),
    [],
    'the copy is removed',
  );
  const target = await directory.make();
  const { aside, isRunning } = await restore(target, file, undefined);
  assert.equal([aside, isRunning], [undefined, false]);
  assert.is(await version(target), 2);
});

test('a backup with keys holds all but the flash of a panel and the keys of TLS sessions, and is encrypted', async () => {
  const data = await makeHouse();
  const file = await newFile();
  await backUp(data, file, PASSPHRASE);
  assert.match(await readFile(file, 'latin1'), /^age-encryption\.org\/v1\n-> scrypt /);
  const target = await directory.make();
  await restore(target, file, PASSPHRASE);
  const found = await allIn(target);
  assert.match(Object.values(found).join('\n'), 'secret-authority');
  for (const name of ['channel', 'own', 'vapid', 'subscription'])
    assert.match(Object.values(found).join('\n'), `secret-${name}`);
  assert.not.ok('panel-flash.json' in found);
  assert.not.match(Object.values(found).join('\n'), 'secret-ticket-keys');
  assert.is((await stat(join(target, 'tls', 'authority.pem'))).mode & 0o777, 0o600);
  assert.is((await stat(join(target, 'tls'))).mode & 0o777, 0o700);
  assert.is(await version(target), 2);
});

test('a restore without keys uses those that are there, and keeps the old contents whole', async () => {
  const data = await makeHouse();
  const file = await newFile();
  await backUp(data, file, undefined);
  const target = await makeHouse();
  await writeFile(join(target, 'tls', 'authority.pem'), 'present authority', { mode: 0o600 });
  const old = await hashesIn(target);
  const { aside = '', keptKeys } = await restore(target, file, undefined);
  assert.ok(keptKeys);
  const found = await allIn(target);
  assert.is(found['tls/authority.pem'], 'present authority');
  for (const path of ['own.key', 'alerts.json', 'panel-flash.json', 'alerts/vapid.json'])
    assert.is(digest(found[path] ?? ''), old[path], path);
  const { 'panel-flash.json': _flash, reserve: _reserve, ...contents } = old;
  assert.equal(await hashesIn(aside), contents);
});

test('a file that cannot be used is one clear line, and nothing is changed', async () => {
  const [plain, encrypted] = [await newFile(), await newFile()];
  const data = await makeHouse();
  await backUp(data, plain, undefined);
  await backUp(data, encrypted, PASSPHRASE);
  const [bytes, secretBytes, file] = [await readFile(plain), await readFile(encrypted), await newFile()];
  const changed = (from: Buffer, at: number) => {
    const copy = Buffer.from(from);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };
  const edited = (from: RegExp, to: string) =>
    gzipSync(Buffer.from(gunzipSync(bytes).toString('latin1').replace(from, to), 'latin1'));
  const cases: [string, Buffer, string | undefined, RegExp][] = [
    ['wrong passphrase', secretBytes, 'another', /^the passphrase does not open /],
    ['empty', Buffer.alloc(0), undefined, /is no backup of this program$/],
    ['another archive', gzipSync('text'), undefined, /is (no backup|damaged)/],
    ['cut', bytes.subarray(0, bytes.length - 20), undefined, /is damaged or cut off/],
    ['cut in half', bytes.subarray(0, Math.floor(bytes.length / 2)), undefined, /is damaged or cut off/],
    [
      'encrypted and cut',
      secretBytes.subarray(0, secretBytes.length - 20),
      PASSPHRASE,
      /is damaged or cut off/,
    ],
    ['a changed byte', changed(bytes, Math.floor(bytes.length / 2)), undefined, /is damaged/],
    ['encrypted, a changed byte', changed(secretBytes, secretBytes.length - 99), PASSPHRASE, /is damaged/],
    [
      'other contents',
      edited(/"version":2/, '"version":3'),
      undefined,
      /is damaged: data|is damaged: journal/,
    ],
    [
      'a newer format',
      edited(/\{"format":1,/, '{"format":9,'),
      undefined,
      /has format 9, written by version/,
    ],
  ];
  const before = await hashesIn(data);
  for (const [name, content, passphrase, message] of cases) {
    await writeFile(file, content);
    await restore(data, file, passphrase).then(
      () => assert.unreachable(name),
      (error: Error) => {
        assert.match(error.message, message, `${name}: ${error.message}`);
        assert.not.match(error.message, '\n');
      },
    );
    assert.equal(await hashesIn(data), before, name);
    assert.equal(
      (await readdir(data)).filter((each) => each.startsWith('before-')),
      [],
      name,
    );
  }
});

test('a backup goes to a new file outside of the data directory, from the directory of a server', async () => {
  const empty = await directory.make();
  const data = await makeHouse();
  const file = await newFile();
  await writeFile(file, '');
  const link = `${file}.link`;
  await symlink(data, link);
  const before = await hashesIn(data);
  for (const [from, to, message] of [
    [empty, `${file}.new`, /is not the data directory of a server$/],
    [data, file, /is there already$/],
    [data, join(data, 'house.backup'), /is in the data directory .*: a backup belongs outside of it$/],
    [data, join(data, 'new', 'deep', 'house.backup'), /is in the data directory /],
    [data, join(link, 'house.backup'), /is in the data directory /],
    [link, join(data, 'house.backup'), /is in the data directory /],
  ] as const) {
    await backUp(from, to, undefined).then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, message),
    );
  }
  assert.equal(await hashesIn(data), before);
  await backUp(data, `${data}.backup`, undefined);
  await rm(`${data}.backup`);
});

test('data that no server can read are refused, whatever their hashes say', async () => {
  const data = await makeHouse();
  const file = await newFile();
  await writeFile(join(data, 'tokens.json'), '{"seq":1,"documents":{');
  await backUp(data, file, undefined);
  const target = await makeHouse();
  const before = await hashesIn(target);
  await restore(target, file, undefined).then(
    () => assert.unreachable(),
    (error: Error) =>
      assert.match(error.message, /holds data that no server can read: .*tokens\.json is damaged/),
  );
  assert.equal(await hashesIn(target), before);
});

test.run();
