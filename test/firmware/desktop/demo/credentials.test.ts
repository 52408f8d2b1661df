import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { completed, readCredentials } from '../../../../firmware/desktop/demo/credentials.js';
import { type NewDevice, ServerApi } from '../../../../firmware/desktop/server-api.js';

const test = suite<{ data: string }>('credentials of npm start');

test.before.each((context) => {
  context.data = join(mkdtempSync(join(tmpdir(), 'twin-demo-')), 'data');
  mkdirSync(context.data);
});
test.after.each(({ data }) => rmSync(join(data, '..'), { recursive: true, force: true }));

/** A server that knows some devices and tokens, and counts the ones it makes. */
class FakeApi extends ServerApi {
  readonly devices: string[] = [];
  readonly tokens: string[] = [];

  override async knowsToken(secret: string): Promise<boolean> {
    return this.tokens.includes(secret);
  }

  override async createToken({ role }: { role: string }): Promise<string> {
    const secret = `${role}-${this.tokens.length + 1}`;
    this.tokens.push(secret);
    return secret;
  }

  override async knowsDevice(id: string): Promise<boolean> {
    return this.devices.includes(id);
  }

  override async createDevice({ name }: { name: string }): Promise<NewDevice> {
    const id = `${name}-${this.devices.length + 1}`;
    this.devices.push(id);
    return { id, password: `password of ${id}` };
  }
}

const fakeApi = (): FakeApi => new FakeApi('http://nowhere', 'token');

const start = (data: string, api: ServerApi) => completed(data, readCredentials(data), api);

test('the token stays the same from start to start, in a file for its owner only', async ({ data }) => {
  const { token } = await start(data, fakeApi());
  assert.match(token, /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  assert.is(readCredentials(data).token, token);
  assert.is(statSync(join(data, 'demo.json')).mode & 0o777, 0o600);
});

test('nothing is made in the directory before the server has taken it', ({ data }) => {
  readCredentials(data);
  assert.not.ok(existsSync(join(data, 'demo.json')));
});

test('the device and the token for a phone are made once', async ({ data }) => {
  const api = fakeApi();
  const first = await start(data, api);
  assert.equal(await start(data, api), first);
  assert.equal([api.devices, api.tokens], [['panel-1'], ['app-1']]);
});

test('nothing is made on the server that could not be kept', async ({ data }) => {
  const api = fakeApi();
  const error = await completed(join(data, 'nowhere'), readCredentials(data), api).catch((thrown) => thrown);
  assert.match(error.message, 'ENOENT');
  assert.equal([api.devices, api.tokens], [[], []]);
});

test('what the server has forgotten is replaced, and the token stays', async ({ data }) => {
  const { token } = await start(data, fakeApi());
  const api = fakeApi();
  api.devices.push('another');
  const { device, appToken } = await start(data, api);
  assert.equal([device.id, appToken], ['panel-2', 'app-1']);
  assert.is(readCredentials(data).token, token);
});

test('a damaged file is named, and not overwritten', ({ data }) => {
  for (const text of ['', '{"tok', '{}']) {
    writeFileSync(join(data, 'demo.json'), text);
    assert.throws(() => readCredentials(data), /demo\.json is damaged\. Delete it/);
    assert.is(readFileSync(join(data, 'demo.json'), 'utf8'), text);
  }
});

test.run();
