import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestRest, type TestRest } from './rest.js';

const test = suite<{ rest: TestRest }>('the overview');

test.before.each(async (context) => {
  context.rest = await startTestRest();
});
test.after.each(({ rest }) => rest.close());

test('has the token, the devices, and of their documents those of a panel, as the single calls answer them', async ({
  rest,
}) => {
  const { id } = await rest.newDevice();
  const other = await rest.newDevice();
  for (const [name, data] of [
    ['current', { alarm_armed: false, siren_ringing: false, door_open: false }],
    ['desired', { alarm_armed: false }],
    ['note', { n: 1 }],
  ] as const) {
    const body = { data };
    const written = await rest.ask('PUT', `/twins/${id}/documents/${name}`, { body });
    assert.is(written.status, 200);
  }
  const single = async (path: string) => (await rest.ask('GET', path)).body;
  const { status, body } = await rest.ask('GET', '/overview');
  assert.is(status, 200);
  assert.equal(body, {
    token: await single('/tokens/self'),
    total_count: 2,
    panels: [
      {
        device: await single(`/devices/${id}`),
        documents: [
          await single(`/twins/${id}/documents/current`),
          await single(`/twins/${id}/documents/desired`),
        ],
      },
      { device: await single(`/devices/${other.id}`), documents: [] },
    ],
  });
});

test('shows a token only its own twins, and a page of many', async ({ rest }) => {
  const devices = [await rest.newDevice(), await rest.newDevice(), await rest.newDevice()];
  const twin_ids = [devices[1]?.id];
  const { secret } = (await rest.ask('POST', '/tokens', { body: { role: 'reader', twin_ids } })).body;
  const idsIn = ({ panels }: { panels: { device: { id: string } }[] }) =>
    panels.map(({ device }) => device.id);
  assert.equal(idsIn((await rest.ask('GET', '/overview', { token: secret })).body), twin_ids);
  const pages = await Promise.all(
    [1, 2, 3].map((page) => rest.ask('GET', `/overview?page=${page}&page_size=2`)),
  );
  const ids = pages.map(({ body }) => idsIn(body));
  assert.equal(
    ids.map(({ length }) => length),
    [2, 1, 0],
  );
  assert.equal(ids.flat().sort(), devices.map(({ id }) => id).sort());
});

test.run();
