/** What a command has made is of use to its caller, or is gone again: no command leaves half of its work. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { credentialFiles } from '../../../server/cli/credential-files.js';
import { OutputLost } from '../../../server/cli/terminal.js';
import { startTestRest, type TestRest } from '../rest/rest.js';
import { fail, say } from './command-line.js';

interface Context {
  rest: TestRest;
  id: string;
  directory: string;
}

const test = suite<Context>('commands that fail half-way');

test.before(async (context) => {
  context.rest = await startTestRest();
});
test.before.each(async (context) => {
  context.id = (await context.rest.newDevice()).id;
  context.directory = mkdtempSync(join(tmpdir(), 'twin-half-'));
});
test.after.each(({ directory }) => rmSync(directory, { recursive: true }));
test.after(({ rest }) => rest.close());

const devicesOf = async (rest: TestRest): Promise<number> =>
  (await rest.ask('GET', '/devices')).body.total_count;
const tokensOf = async (rest: TestRest): Promise<number> =>
  (await rest.ask('GET', '/tokens')).body.tokens.length;

const closed = async (): Promise<never> => {
  throw new OutputLost(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
};
const full = async (): Promise<never> => {
  throw new OutputLost(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }));
};

test('no device is made when its files cannot be written', async ({ rest, directory }) => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const before = await devicesOf(rest);
  for (const bad of [file, join(file, 'below'), '/proc/nope', '/proc/nope/below']) {
    await fail(rest, ['device', 'create', 'n', '--save', bad]);
    assert.is(await devicesOf(rest), before, bad);
  }
});

test('no key of another device is overwritten', async ({ rest, id, directory }) => {
  await say(rest, 'device', 'create', 'n', '--save', directory);
  const key = readFileSync(join(directory, 'device.key'), 'utf8');
  const before = await devicesOf(rest);
  assert.match(await fail(rest, ['device', 'create', 'm', '--save', directory]), 'is there already');
  assert.is(await devicesOf(rest), before);
  assert.is(readFileSync(join(directory, 'device.key'), 'utf8'), key);
  const subject = ['-subj', '/CN=0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d'];
  const options = ['-x509', '-newkey', 'ed25519', '-nodes', '-keyout', '/dev/null'];
  execFileSync('openssl', ['req', ...options, ...subject, '-out', join(directory, 'device.crt')], {
    stdio: 'ignore',
  });
  assert.match(
    await fail(rest, ['device', 'renew', id, '--save', directory]),
    /device.crt is there already, and is of 0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d$/,
  );
});

test('a device that the server refuses to make leaves no files', async ({ rest, directory }) => {
  const target = join(directory, 'below');
  const reader = await rest.newToken('reader');
  const args = ['device', 'create', 'n', '--save', target, '--token', reader];
  assert.match(await fail(rest, args), 'may not write device');
  assert.not.ok(existsSync(target));
});

test('a device whose credentials cannot be handed over is deleted again', async ({ rest, directory }) => {
  const before = await devicesOf(rest);
  const target = join(directory, 'below');
  for (const args of [[], ['--save', target]]) {
    for (const [print, reason] of [
      [closed, 'the output is closed'],
      [full, 'no space left'],
    ] as const) {
      const said = await fail(rest, ['device', 'create', 'n', ...args], { print });
      assert.match(said, /^the device [\w-]{36} was made, but .*, so it was deleted again$/);
      assert.match(said, reason);
      assert.is(await devicesOf(rest), before);
      assert.not.ok(existsSync(target));
    }
  }
});

test('a token that cannot be handed over is revoked again, and so is that of a phone', async ({ rest }) => {
  // The last owner token cannot be revoked.
  await say(rest, 'token', 'create');
  const before = await tokensOf(rest);
  for (const args of [['token', 'create'], ['pair'], ['pair', '--json']]) {
    const said = await fail(rest, args, { print: closed });
    assert.match(said, /^the token [\w-]{36} was made, but the output is closed, so it was deleted again$/);
    assert.is(await tokensOf(rest), before);
  }
});

test('credentials are not renewed when their files cannot be written', async ({ rest, id, directory }) => {
  const file = join(directory, 'file');
  writeFileSync(file, '');
  const before = (await rest.ask('GET', `/devices/${id}`)).body.updated_at;
  await fail(rest, ['device', 'renew', id, '--save', file]);
  assert.is((await rest.ask('GET', `/devices/${id}`)).body.updated_at, before);
});

test('renewed credentials that cannot be written are printed, because the old ones are gone', async ({
  rest,
  id,
  directory,
}) => {
  // A directory in the place of the key: it is found only when the key is to be written.
  mkdirSync(join(directory, 'device.key.tmp'));
  let printed = '';
  const print = async (text: string): Promise<void> => {
    printed += text;
  };
  const said = await fail(rest, ['device', 'renew', id, '--save', directory], { print });
  assert.match(said, /^certificate and key are on stdout, because they could not be written: EISDIR/);
  assert.match(printed, /key of certificate/);
  const [, password = ''] = /^password +(\S+)$/m.exec(printed) ?? [];
  assert.ok(await rest.devices.authenticate(id, Buffer.from(password)));
});

test('what was there before stays when a device is not made', async ({ directory }) => {
  writeFileSync(join(directory, 'ca.crt'), 'old');
  writeFileSync(join(directory, 'notes'), 'mine');
  const files = await credentialFiles(directory, 'new', undefined);
  await files.write({ crt: 'c', key: 'k' });
  await files.undo();
  assert.equal(readdirSync(directory).sort(), ['ca.crt', 'notes']);
});

test('a role, a time or a panel that is wrong makes no token', async ({ rest }) => {
  const before = await tokensOf(rest);
  for (const args of [
    ['pair', '--role', 'king'],
    ['pair', '--expires', 'soon'],
    ['pair', 'no such panel'],
    ['token', 'create', '--twin', 'no such panel'],
    ['token', 'create', '--expires', '2020-01-01T00:00:00Z'],
  ])
    await fail(rest, args);
  assert.is(await tokensOf(rest), before);
});

test.run();
