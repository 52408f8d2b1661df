import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { panelDevice, readCredentials } from '../../../../firmware/desktop/demo/credentials.js';
import { type NewDevice, ServerApi } from '../../../../firmware/desktop/server-api.js';

const test = suite<{ data: string }>('credentials of npm start');

test.before.each((context) => {
  context.data = join(mkdtempSync(join(tmpdir(), 'twin-demo-')), 'data');
});
test.after.each(({ data }) => rmSync(join(data, '..'), { recursive: true, force: true }));

/** A server that knows some devices and counts the ones it makes. */
class FakeApi extends ServerApi {
  readonly devices: string[] = [];

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

test('the token stays the same from start to start, in a file for its owner only', ({ data }) => {
  const { token } = readCredentials(data);
  assert.match(token, /^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  assert.is(readCredentials(data).token, token);
  assert.is(statSync(join(data, 'demo.json')).mode & 0o777, 0o600);
});

test('the device is created once', async ({ data }) => {
  const api = fakeApi();
  const first = await panelDevice(data, readCredentials(data), api);
  assert.equal(await panelDevice(data, readCredentials(data), api), first);
  assert.equal(api.devices, ['panel-1']);
});

test('a device that the server has forgotten is replaced, and the token stays', async ({ data }) => {
  await panelDevice(data, readCredentials(data), fakeApi());
  const { token } = readCredentials(data);
  const api = fakeApi();
  api.devices.push('another');
  const { id } = await panelDevice(data, readCredentials(data), api);
  assert.is(id, 'panel-2');
  assert.is(readCredentials(data).token, token);
});

test('a damaged file is named, and not overwritten', ({ data }) => {
  readCredentials(data);
  for (const text of ['', '{"tok', '{}']) {
    writeFileSync(join(data, 'demo.json'), text);
    assert.throws(() => readCredentials(data), /demo\.json is damaged\. Delete it/);
    assert.is(readFileSync(join(data, 'demo.json'), 'utf8'), text);
  }
});

test.run();
