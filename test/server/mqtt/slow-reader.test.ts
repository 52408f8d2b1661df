import * as assert from 'uvu/assert';
import { Shares } from '../../../server/access/shares.js';
import { type Credentials, limitReached, startEndpoint, type TestEndpoint } from './endpoint.js';
import { connectPacket, publishPacket, RawClient, subscribePacket } from './raw-client.js';
import { overEach } from './transports.js';

const suites = overEach('slow-reader', (test, transport) => {
  const BIG = JSON.stringify({ data: { text: 'x'.repeat(60_000) } });
  const GET = publishPacket('$SCW/twins/me/big/get', '');
  /** 240 MB of answers: more than any network buffer takes. */
  const FLOOD = 4000;

  /** A device with a big document, and how often it has been read. */
  async function prepared(
    endpoint: TestEndpoint,
  ): Promise<{ device: Credentials; client: RawClient; reads: () => number }> {
    const device = endpoint.devices.add({ allow_multiple_connections: true });
    const client = await RawClient.admitted(
      endpoint,
      transport,
      device,
      '$SCW/twins/me/+/+/response/success',
    );
    client.send(publishPacket('$SCW/twins/me/big/put', BIG));
    await client.message();
    let reads = 0;
    const get = endpoint.twins.get.bind(endpoint.twins);
    endpoint.twins.get = (twinId, name, answer) => {
      if (twinId === device.id) reads++;
      get(twinId, name, answer);
    };
    return { device, client, reads: () => reads };
  }

  /** Resolves when nothing has been read for the time that another client needs for some round trips. */
  async function standsStill(reads: () => number, honest: RawClient): Promise<void> {
    for (let before = -1; before !== reads(); ) {
      before = reads();
      for (let trip = 0; trip < 20; trip++) await honest.drain();
    }
  }

  test('a client that does not read is not read from, costs bounded memory and is closed after a time', async () => {
    const endpoint = await startEndpoint({ progressMs: 500 });
    const honest = await RawClient.admitted(endpoint, transport, endpoint.devices.add(), '$SCW/twins/me/#');
    const { device, client, reads } = await prepared(endpoint);
    const memory = process.memoryUsage().rss;
    const stuck = endpoint.logged(/not read/);
    client.stopReading();
    client.send(...new Array<typeof GET>(FLOOD).fill(GET));
    let done = false;
    const closed = stuck.then((line) => {
      done = true;
      return line;
    });
    let version = 0;
    while (!done) {
      honest.send(publishPacket('$SCW/twins/me/current/put', '{"data":{}}'));
      assert.is((await honest.message()).payload.version, ++version);
    }
    assert.is((await closed).device, device.id);
    assert.equal(endpoint.audited, [limitReached(device.id, 'its answers are not read')]);
    assert.ok(reads() < FLOOD / 2, `${reads()} of ${FLOOD} answers were made`);
    assert.ok(process.memoryUsage().rss - memory < 100 * 1024 * 1024);
    client.vanish();
    honest.vanish();
    await endpoint.close();
  });

  test('a client that reads again gets every answer', async () => {
    const endpoint = await startEndpoint();
    const honest = await RawClient.admitted(endpoint, transport, endpoint.devices.add());
    const { client, reads } = await prepared(endpoint);
    client.stopReading();
    client.send(...new Array<typeof GET>(1000).fill(GET));
    await standsStill(reads, honest);
    assert.ok(reads() < 1000);
    client.readAgain();
    for (let count = 0; count < 1000; count++) await client.next('publish');
    client.vanish();
    honest.vanish();
    await endpoint.close();
  });

  test('a client that stops reading may miss states, but not the last one', async () => {
    const endpoint = await startEndpoint();
    const { device, client: writer } = await prepared(endpoint);
    const listener = await RawClient.open(endpoint, transport);
    listener.send(
      connectPacket(device, { clientId: 'listener' }),
      subscribePacket('$SCW/twins/me/+/changed'),
    );
    await listener.next('connack');
    await listener.next('suback');
    listener.stopReading();
    const rounds = 600;
    for (let round = 0; round < rounds; round++) {
      writer.send(publishPacket('$SCW/twins/me/big/put', BIG));
      await writer.next('publish');
    }
    listener.readAgain();
    let pushes = 0;
    for (let version = 0; version < rounds + 1; pushes++) {
      const next = (await listener.message()).payload.version as number;
      assert.ok(next > version);
      version = next;
    }
    assert.ok(pushes < rounds, `${pushes} of ${rounds} were sent`);
    writer.vanish();
    listener.vanish();
    await endpoint.close();
  });

  /** No client waits for its turn. */
  const WITHOUT_TURNS = new Shares({ turnWork: 1e9, workPerSecond: 1e9 });

  const BOUNDS = [
    ['requests', { inFlight: 4 }, '{"data":{}}', 4],
    ['bytes of requests', { bufferBytes: 150_000 }, BIG, 3],
  ] as const;

  for (const [what, limits, body, allowed] of BOUNDS) {
    test(`no more ${what} of one connection are under way than are allowed, and all are answered in order`, async () => {
      const endpoint = await startEndpoint(limits, {}, WITHOUT_TURNS);
      const client = await RawClient.admitted(endpoint, transport, endpoint.devices.add());
      let underWay = 0;
      let most = 0;
      const put = endpoint.twins.put.bind(endpoint.twins);
      endpoint.twins.put = (twinId, name, request, answer, origin) => {
        most = Math.max(most, ++underWay);
        put(
          twinId,
          name,
          request,
          (error, document) => {
            underWay--;
            answer(error, document);
          },
          origin,
        );
      };
      const ids = Array.from({ length: 300 }, (_, index) => index + 1);
      for (const messageId of ids) {
        client.send(publishPacket('$SCW/twins/me/a/put', body, { qos: 1, messageId }));
      }
      for (const id of ids) assert.is((await client.next('puback')).messageId, id);
      assert.is(most, allowed);
      client.vanish();
      await endpoint.close();
    });
  }
});

suites.run();
