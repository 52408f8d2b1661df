/** `embedded:network/mqtt/client` (ECMA-419): the callbacks and calls of the standard; Node holds the connection. */

import type { MqttControl, MqttMessageInfo, MqttOptions, MqttWriteOptions } from '../../board.js';
import { ask, listen, type Message } from './host.js';

interface Options extends MqttOptions {
  host: string;
  port: number;
  user: string;
  password?: string;
}

let lastId = 0;
const open = new Map<number, MQTTClient>();

class MQTTClient {
  readonly #id = ++lastId;
  readonly #options: Options;
  #readable: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(options: Options) {
    this.#options = options;
    const { host, port, user, password, keepAlive } = options;
    ask('mqtt.open', { id: this.#id, host, port, user, password, keepAlive });
    open.set(this.#id, this);
  }

  read(count: number): ArrayBuffer {
    const part = this.#readable.slice(0, count);
    this.#readable = this.#readable.slice(count);
    return part.buffer;
  }

  write(data: ArrayBuffer | undefined, options: MqttWriteOptions): number {
    const payload = data === undefined ? undefined : new Uint8Array(data);
    return ask('mqtt.write', { id: this.#id, options }, payload).head.writable;
  }

  close(): void {
    if (open.delete(this.#id)) ask('mqtt.close', { id: this.#id });
  }

  static tell({ head, bytes }: Message): void {
    const client = open.get(head.id);
    if (client === undefined) return;
    const { onReadable, onWritable, onControl, onClose, onError } = client.#options;
    const tell: Record<string, () => void> = {
      readable: () => {
        client.#readable = bytes;
        onReadable(bytes.length, head.info as MqttMessageInfo);
      },
      writable: () => onWritable(head.count),
      control: () => onControl(head.operation, head.message as MqttControl),
      close: () => open.delete(head.id) && onClose(),
      error: () => open.delete(head.id) && onError(),
    };
    tell[head.what]?.();
  }
}

listen('mqtt', (message) => MQTTClient.tell(message));

export default MQTTClient;
