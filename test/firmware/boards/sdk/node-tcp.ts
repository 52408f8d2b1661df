/** A TCP socket with the manners of the SDK's (ECMA-419), on Node's. */

import { connect, type Socket as NodeSocket } from 'node:net';
import type { Socket, SocketOptions } from '../../../../firmware/boards/sdk/gate.js';

export interface TcpOptions extends SocketOptions {
  address: string;
  port: number;
}

const ROOM = 4096;

export class NodeTcp implements Socket {
  private readonly socket: NodeSocket;
  private bytes: Buffer = Buffer.alloc(0);

  constructor(given: SocketOptions) {
    const { address, port, onReadable, onWritable, onError } = given as TcpOptions;
    this.socket = connect(port, address, () => onWritable?.(ROOM));
    this.socket.on('data', (bytes) => {
      this.bytes = Buffer.concat([this.bytes, bytes]);
      onReadable?.(this.bytes.length);
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => onError?.());
  }

  /** The buffer must not be longer than what has come. */
  read(buffer: Uint8Array): number {
    if (buffer.length > this.bytes.length || buffer.length === 0) throw new Error('invalid');
    buffer.set(this.bytes.subarray(0, buffer.length));
    this.bytes = this.bytes.subarray(buffer.length);
    return buffer.length;
  }

  write(data: ArrayBuffer | Uint8Array): number {
    this.socket.write(new Uint8Array(data));
    return ROOM;
  }

  close(): void {
    this.socket.removeAllListeners('close');
    this.socket.destroy();
  }
}
