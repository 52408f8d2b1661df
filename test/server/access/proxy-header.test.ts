import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { PROXY_HEADER_BYTES, readProxyHeader } from '../../../server/access/proxy-header.js';
import { Random } from '../../fuzz/random.js';
import { headerFor, headerOf, SIGNATURE, written } from './proxy-headers.js';

const IPV4 = headerFor('192.0.2.7', 51_234);
const REQUEST = Buffer.from('GET / HTTP/1.1\r\n');

/** A field of the type for experiments, with so many bytes. */
const field = (bytes: number): Buffer => {
  const head = Buffer.from([0xe0, (bytes - 3) >> 8, (bytes - 3) & 0xff]);
  return Buffer.concat([head, Buffer.alloc(bytes - 3, 0x41)]);
};

test('the client of IPv4 is read, and the header ends where the bytes of the client begin', () => {
  const client = { address: '192.0.2.7', port: 51_234 };
  assert.equal(readProxyHeader(Buffer.concat([IPV4, REQUEST])), { length: 28, client });
});

test('the client of IPv6 is read, in the form in which Node writes addresses', () => {
  const client = { address: '2001:db8::7', port: 443 };
  assert.equal(readProxyHeader(headerFor('2001:db8:0:0:0:0:0:7', 443)), { length: 52, client });
});

test('an IPv4 address that is mapped into IPv6 is that IPv4 address, and not one of this machine', () => {
  const client = { address: '192.0.2.7', port: 1 };
  assert.equal(readProxyHeader(headerFor('0:0:0:0:0:ffff:c000:207', 1)), { length: 52, client });
});

test('further fields behind the addresses are skipped', () => {
  const client = { address: '192.0.2.7', port: 51_234 };
  const header = headerFor(client.address, client.port, field(100));
  assert.equal(readProxyHeader(Buffer.concat([header, REQUEST])), { length: 128, client });
});

test('a health check of the balancer has no client, whatever family and addresses it holds', () => {
  assert.equal(readProxyHeader(headerOf(0x20, 0x00, Buffer.alloc(0))), { length: 16 });
  assert.equal(readProxyHeader(headerOf(0x20, 0x11, IPV4.subarray(16))), { length: 28 });
  assert.equal(readProxyHeader(headerOf(0x20, 0x77, Buffer.alloc(3))), { length: 19 });
});

test('a connection of unknown family, or of a Unix socket, has no client', () => {
  assert.equal(readProxyHeader(headerOf(0x21, 0x00, field(40))), { length: 56 });
  assert.equal(readProxyHeader(headerOf(0x21, 0x31, Buffer.alloc(216))), { length: 232 });
});

test('bytes that begin otherwise hold no header, nor does version 1, which is text', () => {
  for (const text of [
    'GET / HTTP/1.1\r\n',
    '\r\nGET',
    '\x16\x03\x01',
    'PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n',
  ]) {
    assert.is(readProxyHeader(Buffer.from(text, 'latin1')), 'absent');
  }
});

test('each beginning of a header is incomplete', () => {
  for (let length = 0; length < IPV4.length; length += 1) {
    assert.is(readProxyHeader(IPV4.subarray(0, length)), 'incomplete', `${length} bytes`);
  }
});

test('another version, command or family is malformed, before the rest has come', () => {
  for (const [command, family] of [
    [0x11, 0x11],
    [0x31, 0x11],
    [0x22, 0x11],
    [0x21, 0x12],
    [0x21, 0x22],
    [0x21, 0x32],
    [0x21, 0x41],
  ] as const) {
    assert.is(readProxyHeader(headerOf(command, family, Buffer.alloc(216)).subarray(0, 16)), 'malformed');
  }
});

test('a header that is too short for its addresses is malformed', () => {
  assert.is(readProxyHeader(headerOf(0x21, 0x11, Buffer.alloc(11))), 'malformed');
  assert.is(readProxyHeader(headerOf(0x21, 0x21, Buffer.alloc(35))), 'malformed');
});

test('a header may have so many bytes and no more, which its first 16 bytes tell', () => {
  const longest = headerFor('192.0.2.7', 1, field(PROXY_HEADER_BYTES - IPV4.length));
  assert.is(longest.length, PROXY_HEADER_BYTES);
  assert.equal(readProxyHeader(longest), {
    length: PROXY_HEADER_BYTES,
    client: { address: '192.0.2.7', port: 1 },
  });
  const longer = headerFor('192.0.2.7', 1, field(PROXY_HEADER_BYTES - IPV4.length + 1));
  assert.is(readProxyHeader(longer.subarray(0, 16)), 'malformed');
});

const SEED = 19;

test('every client that a balancer can name is read as it was written', () => {
  const random = new Random(SEED);
  for (let count = 0; count < 5000; count += 1) {
    const groups = Array.from({ length: 8 }, () =>
      random.once(3) ? '0' : random.below(0x10000).toString(16),
    );
    // A first group of its own keeps mapped addresses out, which have a test of their own.
    const v6 = ['2001', ...groups.slice(1)].join(':');
    const address = random.once(2) ? v6 : Array.from({ length: 4 }, () => random.below(256)).join('.');
    const port = random.below(0x10000);
    const header = headerFor(address, port, random.once(2) ? field(3 + random.below(500)) : undefined);
    assert.equal(readProxyHeader(Buffer.concat([header, REQUEST])), {
      length: header.length,
      client: { address: written(address), port },
    });
  }
});

test('no bytes make the reader fail, ask for more than the longest header, or change its mind', () => {
  const random = new Random(SEED);
  for (let count = 0; count < 20_000; count += 1) {
    const bytes = Buffer.concat([SIGNATURE, Buffer.from(random.some(300, () => random.below(256)))]);
    if (random.once(2)) bytes[12] = 0x20 + random.below(2);
    if (random.once(2)) bytes[13] = random.oneOf([0x00, 0x11, 0x21, 0x31]);
    if (random.once(2)) bytes[14] = random.below(9);
    const whole = readProxyHeader(Buffer.concat([bytes, Buffer.alloc(PROXY_HEADER_BYTES)]));
    assert.not.equal(whole, 'incomplete');
    assert.not.equal(whole, 'absent');
    if (typeof whole === 'object') assert.ok(whole.length <= PROXY_HEADER_BYTES);
    const part = readProxyHeader(bytes.subarray(0, random.below(bytes.length + 1)));
    assert.ok(part === 'incomplete' || JSON.stringify(part) === JSON.stringify(whole));
  }
});

test.run();
