/** The firmware on Node instead of XS, so that hundreds of panels fit into one process: their sockets are real. */

import '../firmware/xs-globals.js';
import type { Board, MqttClient, MqttOptions, MqttWriteOptions, Timer } from '../../firmware/board.js';
import { DEFAULTS } from '../../firmware/config.js';
import { Connection, type ConnectionEvent, type WriteOptions } from '../../firmware/desktop/mqtt.js';
import { start } from '../../firmware/start.js';
import { MemoryStore } from '../firmware/memory-store.js';
import type { Credentials } from './server.js';

const NOTHING = Buffer.alloc(0);
const SOCKET = { partBytes: 512, sendBytes: 4096, tls: undefined };

export interface LightPanel {
  readonly id: string;
  readonly status: { armed: boolean; online: boolean };
  /** When each of its connections was begun, in milliseconds of the monotonic clock. */
  readonly attempts: number[];
  stop(): void;
}

/** A panel with its door closed, at the server's `mqtt://` address. */
export function startLightPanel(mqtt: URL, { id, password }: Credentials): LightPanel {
  const timers = new Set<NodeJS.Timeout>();
  const clients = new Set<MqttClient>();
  const attempts: number[] = [];
  const panel = { id, status: { armed: false, online: false }, attempts, stop };

  const kept = (timer: NodeJS.Timeout): NodeJS.Timeout => {
    timers.add(timer);
    return timer;
  };
  const clear = (timer: Timer | undefined): void => {
    clearTimeout(timer as NodeJS.Timeout | undefined);
    timers.delete(timer as NodeJS.Timeout);
  };
  function stop(): void {
    for (const timer of timers) clearTimeout(timer);
    for (const client of clients) client.close();
  }

  const board: Board = {
    config: { ...DEFAULTS, server: mqtt.href, device: id },
    start: { wanted: true, reason: 'power on' },
    contact: () => ({ read: () => 0 }),
    siren: { write: () => undefined },
    led: { write: () => undefined },
    storage: new MemoryStore(),
    network: () => ({ online: true }),
    mqtt(options) {
      attempts.push(performance.now());
      const client = connect(mqtt, { id, password }, options, () => clients.delete(client));
      clients.add(client);
      return client;
    },
    time: {
      ticks: () => performance.now(),
      now: () => Date.now(),
      set: () => undefined,
      query: (done) => setImmediate(done, Date.now()),
    },
    timers: {
      set(callback, delay) {
        const timer = kept(
          setTimeout(() => {
            timers.delete(timer);
            callback();
          }, delay),
        );
        return timer;
      },
      repeat: (callback, interval) => kept(setInterval(callback, interval)),
      clear,
    },
    random: Math.random,
    trace: () => undefined,
    show: ({ armed, online }) => Object.assign(panel.status, { armed, online }),
    restart() {
      throw new Error(`the panel ${id} wants to be restarted`);
    },
  };
  start(board);
  return panel;
}

/** The firmware's client on the desktop's connection, which tells each event in a turn of its own. */
function connect(
  mqtt: URL,
  { id, password }: Pick<Credentials, 'id' | 'password'>,
  options: MqttOptions,
  onEnd: () => void,
): MqttClient {
  let unread: Uint8Array = NOTHING;
  let closed = false;
  const tell = (event: ConnectionEvent, bytes: Uint8Array = NOTHING): void => {
    if (closed) return;
    if (event.what === 'readable') {
      unread = bytes;
      options.onReadable(bytes.length, event.info);
    } else if (event.what === 'writable') options.onWritable(event.count);
    else if (event.what === 'control')
      options.onControl(event.operation, { operation: event.operation, ...event.message });
    else {
      onEnd();
      options.onError();
    }
  };
  const request = {
    host: mqtt.hostname,
    port: Number(mqtt.port),
    user: id,
    password,
    keepAlive: options.keepAlive,
  };
  const connection = new Connection(request, SOCKET, (event, bytes, heard) =>
    setImmediate(() => {
      tell(event, bytes);
      heard();
    }),
  );
  return {
    read(count) {
      const part = new Uint8Array(unread.subarray(0, count));
      unread = unread.subarray(count);
      return part.buffer;
    },
    write: (data, given: MqttWriteOptions) =>
      connection.write(data === undefined ? NOTHING : Buffer.from(data), given as WriteOptions),
    close() {
      closed = true;
      onEnd();
      connection.close();
    },
  };
}
