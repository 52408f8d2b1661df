/**
 * The twin as one would write it in an afternoon: aedes, and lowdb with one JSON file for all twins. Arguments: the
 * file, and `sync` or `async` for the kind of lowdb's writer. Prints where it listens.
 */

import { createServer } from 'node:net';
import { Aedes } from 'aedes';
import { Low, LowSync } from 'lowdb';
import { JSONFile, JSONFileSync } from 'lowdb/node';

interface Twin {
  documents: Record<string, { version: number; data: unknown }>;
}

interface Twins {
  twins: Record<string, Twin>;
}

const [file = 'twins.json', writer] = process.argv.slice(2);
const db =
  writer === 'sync'
    ? new LowSync<Twins>(new JSONFileSync(file), { twins: {} })
    : new Low<Twins>(new JSONFile(file), { twins: {} });
await db.read();

const broker = await Aedes.createBroker();
const devices = new WeakMap<object, string>();

broker.authenticate = (client, username, _password, done) => {
  devices.set(client, username ?? '');
  done(null, true);
};

broker.on('publish', async (packet, client) => {
  const [root, , , name = '', action] = packet.topic.split('/');
  if (client === null || root !== '$SCW' || action !== 'put') return;
  const id = devices.get(client) ?? '';
  const { data } = JSON.parse(packet.payload.toString());
  db.data.twins[id] ??= { documents: {} };
  const { documents } = db.data.twins[id];
  const document = { version: (documents[name]?.version ?? 0) + 1, data };
  documents[name] = document;
  await db.write();
  client.publish(
    {
      cmd: 'publish',
      topic: `${packet.topic}/response/success`,
      payload: JSON.stringify({ twin_id: id, document_name: name, ...document }),
      qos: packet.qos,
      retain: false,
      dup: false,
    },
    () => {},
  );
});

const server = createServer(broker.handle).listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify(server.address()));
});
