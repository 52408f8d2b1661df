import { connectAsync, type MqttClient } from 'mqtt';
import { type Credentials, createDevice, type Server } from './server.js';

/** One document that one writer counts up in, and how far the server has acknowledged. */
export interface Writer {
  readonly device: Credentials;
  readonly document: string;
  readonly over: 'rest' | 'mqtt';
  acknowledged: number;
  attempted: number;
}

export async function makeWriters(server: Server, count: number): Promise<Writer[]> {
  const device = await createDevice(server, 'crash');
  return Array.from({ length: count }, (_, index) => ({
    device,
    document: `d${index}`,
    over: index % 2 === 0 ? 'rest' : 'mqtt',
    acknowledged: 0,
    attempted: 0,
  }));
}

/** Writes without a pause until the server is gone. `onAcknowledged` is called after every acknowledgement. */
export async function writeUntilGone(
  server: Server,
  writers: Writer[],
  onAcknowledged: () => void,
): Promise<void> {
  const device = writers[0]?.device;
  const client = await connectAsync(server.mqtt, {
    username: device?.id ?? '',
    password: device?.password ?? '',
    reconnectPeriod: 0,
  });
  client.on('error', () => undefined);
  const gone = new Promise<never>((_, lost) => client.on('close', () => lost(new Error('gone'))));
  gone.catch(() => undefined);
  try {
    await Promise.all(
      writers.map(async (writer) => {
        const write = writer.over === 'rest' ? restWrite(server) : mqttWrite(client);
        try {
          for (;;) {
            writer.attempted = Math.max(writer.attempted, writer.acknowledged) + 1;
            await Promise.race([write(writer), gone]);
            writer.acknowledged = writer.attempted;
            onAcknowledged();
          }
        } catch {
          // The server is gone, as it should be.
        }
      }),
    );
  } finally {
    await client.endAsync(true);
  }
}

const body = (writer: Writer): string => JSON.stringify({ data: { n: writer.attempted } });

const restWrite = (server: Server) => async (writer: Writer) => {
  const path = `/twins/${writer.device.id}/documents/${writer.document}`;
  const response = await server.api(path, { method: 'PUT', body: body(writer) });
  if (!response.ok) throw new Error(`refused: ${response.status}`);
  await response.arrayBuffer();
};

const mqttWrite = (client: MqttClient) => (writer: Writer) =>
  client.publishAsync(`$SCW/twins/me/${writer.document}/put`, body(writer), { qos: 1 });

export interface Loss {
  document: string;
  acknowledged: number;
  found: number;
}

/** What the server holds less than it acknowledged. Takes what it holds as the new state of the writers. */
export async function findLosses(server: Server, writers: Writer[]): Promise<Loss[]> {
  const losses: Loss[] = [];
  for (const writer of writers) {
    const response = await server.api(`/twins/${writer.device.id}/documents/${writer.document}`);
    const found = response.status === 404 ? 0 : ((await response.json()) as { data: { n: number } }).data.n;
    if (found < writer.acknowledged || found > writer.attempted) {
      losses.push({ document: writer.document, acknowledged: writer.acknowledged, found });
    }
    writer.acknowledged = found;
    writer.attempted = found;
  }
  return losses;
}
