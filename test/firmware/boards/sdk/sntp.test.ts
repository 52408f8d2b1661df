import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type Packet,
  sntpQuery,
  timeServerOf,
  type UdpSocket,
} from '../../../../firmware/boards/sdk/sntp.js';
import { A_DATE, MemoryTimers } from '../../memory-board.js';

const SERVER = { host: 'alarm.example', port: 8883 };
const ADDRESS = '192.168.1.9';
const FROM_1900 = 2_208_988_800;

let randomNumber = 0.25;

/** A question that was asked, with the network in the test's hands. */
function asked({ isKnown = true, failing = '' } = {}) {
  const timers = new MemoryTimers();
  const sent: { bytes: ArrayBuffer; address: string; port: number }[] = [];
  const packets: Packet[] = [];
  const answers: (number | undefined)[] = [];
  let [opened, closed] = [0, 0];
  let onReadable = (): void => {};
  let resolved = (): void => {};
  const socket: UdpSocket = {
    read() {
      if (closed > 0) throw new Error('closed');
      return packets.shift();
    },
    write(bytes, address, port) {
      if (failing === 'write') throw new Error('no way');
      sent.push({ bytes, address, port });
    },
    close: () => {
      closed += 1;
    },
  };
  const query = sntpQuery(SERVER, {
    open(callback) {
      if (failing === 'open') throw new Error('no memory');
      opened += 1;
      onReadable = callback;
      return socket;
    },
    resolve: (name, callback) => {
      resolved = () => callback(name, isKnown ? ADDRESS : undefined);
    },
    timers,
    random: () => {
      randomNumber = (randomNumber * 7.3) % 1;
      return randomNumber;
    },
  });
  query((now) => answers.push(now));
  const deliver = (...given: Packet[]): void => {
    packets.push(...given);
    onReadable();
  };
  return { timers, sent, answers, deliver, resolve: () => resolved(), open: () => opened - closed };
}

type Asked = ReturnType<typeof asked>;

/** The right answer to the question, changed by a test. */
function answerTo(
  { sent }: Asked,
  change: (view: DataView) => void = () => {},
  from: Partial<Packet> = {},
): Packet {
  const packet = new ArrayBuffer(48);
  const view = new DataView(packet);
  view.setUint8(0, 0x24);
  view.setUint8(1, 10);
  const request = sent[0]?.bytes ?? new ArrayBuffer(48);
  new Uint8Array(packet).set(new Uint8Array(request, 40, 8), 24);
  view.setUint32(40, A_DATE / 1000 + FROM_1900);
  view.setUint32(44, 2 ** 31);
  change(view);
  return Object.assign(packet, { address: ADDRESS, port: SERVER.port, ...from });
}

test('the time comes from the server itself, or from the NTP server that the config names', () => {
  assert.equal(timeServerOf(SERVER), SERVER);
  assert.equal(timeServerOf({ ...SERVER, timeServer: 'router' }), { host: 'router', port: 123 });
});

test('a question is 48 bytes from a client of version 4, to the address that the name has', () => {
  const question = asked();
  question.resolve();
  const [packet] = question.sent;
  assert.equal([packet?.address, packet?.port, packet?.bytes.byteLength], [ADDRESS, 8883, 48]);
  assert.is(new DataView(packet?.bytes as ArrayBuffer).getUint8(0), 0x23);
});

test('two questions differ in their transmit timestamp', () => {
  const timestamps = [asked(), asked()].map((question) => {
    question.resolve();
    return new DataView(question.sent[0]?.bytes as ArrayBuffer).getBigUint64(40);
  });
  assert.is.not(timestamps[0], timestamps[1]);
});

test('the answer is the time to the millisecond, and closes the socket', () => {
  const question = asked();
  question.resolve();
  question.deliver(answerTo(question));
  assert.equal(question.answers, [A_DATE + 500]);
  assert.is(question.open(), 0);
  question.timers.advance(60_000);
  question.deliver(answerTo(question));
  assert.equal(question.answers, [A_DATE + 500]);
});

test('of two answers that come together the first counts', () => {
  const question = asked();
  question.resolve();
  question.deliver(answerTo(question), answerTo(question));
  assert.equal(question.answers, [A_DATE + 500]);
});

test('the era that begins in 2036 is understood', () => {
  const question = asked();
  question.resolve();
  question.deliver(answerTo(question, (view) => view.setUint32(40, 86_400)));
  assert.equal(question.answers, [Date.UTC(2036, 1, 8, 6, 28, 16, 500)]);
});

const WRONG: [string, (view: DataView) => void, Partial<Packet>?][] = [
  ['the answer to another question', (view) => view.setUint32(28, 1)],
  ['an answer without a question', (view) => view.setBigUint64(24, 0n)],
  ["a client's packet", (view) => view.setUint8(0, 0x23)],
  ['a server that does not know the time itself', (view) => view.setUint8(0, 0xe4)],
  ["a kiss-o'-death", (view) => view.setUint8(1, 0)],
  ['a stratum beyond the last', (view) => view.setUint8(1, 16)],
  ['a server without a time', (view) => view.setUint32(40, 0)],
  ['another address', () => {}, { address: '192.168.1.8' }],
  ['another port', () => {}, { port: 123 }],
];

for (const [name, change, from] of WRONG) {
  test(`passed over, and the right answer is still heard :: ${name}`, () => {
    const question = asked();
    question.resolve();
    question.deliver(answerTo(question, change, from));
    assert.equal(question.answers, []);
    question.deliver(answerTo(question));
    assert.is(question.answers.length, 1);
  });
}

test('a packet that is too short is passed over', () => {
  const question = asked();
  question.resolve();
  const short = answerTo(question).slice(0, 47);
  question.deliver(Object.assign(short, { address: ADDRESS, port: SERVER.port }));
  assert.equal(question.answers, []);
});

test('without an answer in 3 s there is none, and the socket is closed', () => {
  const question = asked();
  question.resolve();
  question.timers.advance(2999);
  assert.is(question.open(), 1);
  question.timers.advance(1);
  assert.equal([question.answers, question.open()], [[undefined], 0]);
});

for (const failing of ['open', 'write']) {
  test(`a socket whose ${failing} fails is no answer`, () => {
    const question = asked({ failing });
    question.resolve();
    assert.equal([question.answers, question.open()], [[undefined], 0]);
  });
}

test('a name that is not known is no answer, and one that is resolved too late asks nothing', () => {
  const unknown = asked({ isKnown: false });
  unknown.resolve();
  assert.equal(unknown.answers, [undefined]);
  const late = asked();
  late.timers.advance(3000);
  late.resolve();
  assert.equal([late.answers, late.sent], [[undefined], []]);
});

test.run();
