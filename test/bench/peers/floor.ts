/**
 * What no server in Node.js can leave out: it reads a put, parses it, writes it with one fdatasync for all that came
 * meanwhile, and answers. It keeps nothing, and asks for no rights and no limits. `PUT /document` does the same by HTTP.
 * Its argument is the file that it writes. It prints where it listens.
 */

import { fdatasync, openSync, writeSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { readIntoOneBuffer } from '../../../server/mqtt/one-buffer.js';
import { acknowledgement, connack, publish, suback, topicField } from '../../../server/mqtt/output.js';
import type { QoS } from '../../../server/mqtt/packet.js';
import { frames } from '../load/frames.js';

const CONNECT = 1;
const PUBLISH = 3;
const SUBSCRIBE = 8;
const FILE_BYTES = 16 * 1024 * 1024;
const HOST = '127.0.0.1';

const file = openSync(process.argv[2] ?? 'floor.log', 'w');
writeSync(file, Buffer.alloc(FILE_BYTES));

let at = 0;
let records: string[] = [];
let answers: (() => void)[] = [];
let isWriting = false;

/** Calls back when the record is on stable storage. */
function store(record: string, stored: () => void): void {
  records.push(record);
  answers.push(stored);
  if (isWriting) return;
  isWriting = true;
  setImmediate(write);
}

function write(): void {
  const stored = answers;
  const text = records.join('');
  answers = [];
  records = [];
  isWriting = stored.length > 0;
  if (!isWriting) return;
  // The file does not grow, as the server's journal does not.
  at = at + text.length > FILE_BYTES ? 0 : at;
  at += writeSync(file, text, at);
  fdatasync(file, () => {
    write();
    for (const each of stored) each();
  });
}

let changes = 0;

/** The document that a put makes, and its record. */
function documentOf(body: string): { document: string; record: string } {
  const { data } = JSON.parse(body);
  const text = JSON.stringify(data);
  const now = new Date().toISOString();
  changes += 1;
  return {
    document: `{"twin_id":"","document_name":"current","version":${changes},"data":${text},"created_at":"${now}","updated_at":"${now}"}`,
    record: `{"seq":${changes},"file":"","key":"current","version":${changes},"updated_at":"${now}","data":${text}}\n`,
  };
}

function serve(socket: Socket): void {
  let topic: Buffer | undefined;
  let sent = 0;
  const onPublish = (qos: QoS, bytes: Buffer, body: number, end: number) => {
    const payload = body + 2 + bytes.readUInt16BE(body);
    const id = qos === 0 ? 0 : bytes.readUInt16BE(payload);
    const { document, record } = documentOf(bytes.toString('utf8', qos === 0 ? payload : payload + 2, end));
    store(record, () => {
      sent = (sent % 0xffff) + 1;
      const answer = publish(topic ?? Buffer.alloc(2), document, qos, sent);
      socket.write(qos === 0 ? answer : Buffer.concat([acknowledgement('puback', id), answer]));
    });
  };
  const feed = frames((type, bytes, start, body, end) => {
    if (type === PUBLISH) onPublish((((bytes[start] ?? 0) >> 1) & 3) as QoS, bytes, body, end);
    else if (type === CONNECT) socket.write(connack(0));
    else if (type === SUBSCRIBE) {
      const filter = body + 4;
      topic = topicField(bytes.toString('utf8', filter, filter + bytes.readUInt16BE(body + 2)));
      socket.write(suback(bytes.readUInt16BE(body), [bytes[end - 1] ?? 0]));
    }
  });
  socket.on('data', (bytes: Buffer) => feed(bytes, bytes.length)).on('error', () => socket.destroy());
}

const mqtt = createServer({ noDelay: true }, (socket) => {
  readIntoOneBuffer(socket);
  serve(socket);
});
const http = createHttpServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => {
    body += chunk;
  });
  request.on('end', () => {
    const { document, record } = documentOf(body);
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(document) };
    store(record, () => response.writeHead(200, headers).end(document));
  });
});

mqtt.listen(0, HOST, () => {
  http.listen(0, HOST, () => {
    const { port } = http.address() as AddressInfo;
    console.log(JSON.stringify({ ...(mqtt.address() as AddressInfo), http: port }));
  });
});
