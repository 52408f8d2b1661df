import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  answerDesired,
  CURRENT,
  connecting,
  DESIRED,
  desired,
  GET,
  IDLE,
  push,
  refuse,
  settled,
} from './twin-on-board.js';

const DEEP = `{"data":{"alarm_armed":true,"x":${'['.repeat(1500)}${']'.repeat(1500)}}}`;
const BAD: [string, string | Uint8Array | object][] = [
  ['not JSON', 'arm!'],
  ['cut short', '{"data":{"alarm_armed":tr'],
  ['not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ['null', 'null'],
  ['a number', '7'],
  ['an array', []],
  ['without data', { version: 9 }],
  ['with data that is null', { version: 9, data: null }],
  ['with data that is an array', { version: 9, data: [true] }],
  ['without alarm_armed', { version: 9, data: {} }],
  ['with alarm_armed that is a string', { version: 9, data: { alarm_armed: 'true' } }],
  ['with alarm_armed that is a number', { version: 9, data: { alarm_armed: 1 } }],
  ['with alarm_armed that is null', { version: 9, data: { alarm_armed: null } }],
  ['with an inherited alarm_armed', '{"version":9,"data":{"__proto__":{"alarm_armed":"yes"}}}'],
  ['with a version that is a string', { version: '9', data: { alarm_armed: true } }],
  ['with a version that is negative', { version: -9, data: { alarm_armed: true } }],
  ['with a version that is a fraction', { version: 9.5, data: { alarm_armed: true } }],
  ['over 4 KiB', { version: 9, data: { alarm_armed: true, x: 'x'.repeat(4096) } }],
  ['nested so deep that its parser could run out of stack', DEEP],
];

for (const [name, body] of BAD) {
  for (const topic of [`${DESIRED}/changed`, `${DESIRED}/get/response/success`]) {
    test(`a desired document ${name} on ${topic} is ignored with one line`, () => {
      const { board, panel } = settled();
      const lines = board.lines.length;
      board.client.deliver(topic, body, 100);
      assert.is(board.lines.length, lines + 1);
      assert.match(board.lines.at(-1) ?? '', 'ignored');
      assert.equal(panel.orders, [false]);
      const [report, ...more] = board.client.take();
      assert.equal(more, []);
      assert.match(JSON.stringify(report), /current.*"refused":{"reason":"/, 'current says why');
      push(board, true, 2);
      assert.equal(panel.orders.at(-1), true, 'the next good one counts');
    });
  }
}

test('objects and arrays are nested up to 40 levels, and stand beside each other as often as they will', () => {
  const nested = (depth: number): string => {
    const levels = Array.from({ length: depth - 2 }, (_, level) => (level % 2 ? ['[', ']'] : ['{"x":', '}']));
    const value = levels.reduceRight((within, [opening, closing]) => opening + within + closing, '1');
    return `{"data":{"alarm_armed":true,"x":${value}}}`;
  };
  const isObeyed = (body: string): boolean => {
    const { board, panel } = settled();
    board.client.deliver(`${DESIRED}/changed`, body);
    return panel.orders.at(-1) === true;
  };
  assert.ok(isObeyed(nested(40)));
  assert.not.ok(isObeyed(nested(41)));
  assert.ok(isObeyed(`{"data":{"alarm_armed":true,"x":[${'{},[],'.repeat(100)}1]}}`));
});

for (const topic of [
  'somewhere/else',
  '$SCW/twins/me/other/changed',
  '$SCW/twins/me/current/got',
  '$SCW/twins/me/desired/get',
  '$SCW/twins/me/desired/put/response/success',
  '$SCW/twins/me/desired/get/response/maybe',
  '$SCW/twins/me/current/get/response/success',
  '$SCW/twins/me/desired/changed/',
  '$SCW/twins/0c3f4f6a-0000-4000-8000-000000000000/desired/changed',
  '/'.repeat(60_000),
]) {
  test(`a message on ${topic.slice(0, 70)} is ignored with one short line`, () => {
    const { board, panel } = settled();
    const lines = board.lines.length;
    board.client.deliver(topic, desired(true, 9));
    assert.is(board.lines.length, lines + 1);
    assert.match(board.lines.at(-1) ?? '', 'unexpected topic');
    assert.ok((board.lines.at(-1) ?? '').length < 200);
    assert.equal(panel.orders, [false]);
    assert.equal(board.client.take(), []);
  });
}

const refusedWith = (reason: string, key: string | null, handled: number): object => ({
  topic: `${CURRENT}/patch`,
  body: { data: { refused: { reason, key }, handled } },
});

test('a desired document that cannot be taken over is said with its version, until a good one comes', () => {
  const { board } = settled();
  board.client.deliver(`${DESIRED}/changed`, { version: 7, data: { alarm_armed: 'yes' } });
  assert.equal(board.client.take(), [refusedWith('not a boolean', 'alarm_armed', 7)]);
  board.client.deliver(`${DESIRED}/get/response/success`, { version: 7, data: { alarm_armed: 'yes' } });
  assert.equal(board.client.take(), [], 'it is said once');
  board.client.deliver(`${DESIRED}/changed`, 'what?');
  assert.equal(
    board.client.take(),
    [
      {
        topic: `${CURRENT}/patch`,
        body: { data: { refused: { reason: 'not a JSON object', key: null }, handled: null } },
      },
    ],
    'nothing is left of the refusal before',
  );
  push(board, true, 8);
  assert.equal(board.client.take(), [
    { topic: `${CURRENT}/patch`, body: { data: { alarm_armed: true, refused: null } } },
  ]);
});

for (const bytes of [4096, 64 * 1024]) {
  test(`a desired document of ${bytes} bytes is refused with its version, which comes before its data`, () => {
    const { board, panel } = settled();
    const long = { twin_id: 'x', version: 12, data: { alarm_armed: true, version: 3, x: 'x'.repeat(bytes) } };
    board.client.deliver(`${DESIRED}/changed`, long, 512);
    assert.equal(board.client.take(), [refusedWith('too long', null, 12)]);
    assert.equal(panel.orders, [false]);
    refuse(board, GET.topic, 'document not found');
    assert.equal(board.client.take(), [
      { topic: `${CURRENT}/patch`, body: { data: { refused: null, handled: null } } },
    ]);
  });
}

test('a first answer that is too long is followed by the first report', () => {
  const { board } = connecting();
  board.client.accept();
  board.client.take();
  board.client.deliver(`${DESIRED}/get/response/success`, { version: 3, data: { x: 'x'.repeat(5000) } });
  assert.equal(board.client.take(), [
    {
      topic: `${CURRENT}/put`,
      body: { data: { ...IDLE, refused: { reason: 'too long' }, handled: 3 } },
    },
  ]);
});

test('arming that flash does not take is refused, and the fault is said until flash takes it', () => {
  const { board, panel } = settled();
  panel.takes = false;
  panel.fault = 'flash';
  push(board, true, 2);
  assert.equal(board.client.take(), [
    {
      topic: `${CURRENT}/patch`,
      body: {
        data: {
          refused: { reason: 'flash takes no writes', key: 'alarm_armed' },
          handled: 2,
          fault: 'flash',
        },
      },
    },
  ]);
  panel.takes = true;
  panel.fault = undefined;
  answerDesired(board, true, 2);
  assert.equal(
    board.client.take().map(({ body }) => body),
    [{ data: { alarm_armed: true, refused: null, handled: null, fault: null } }],
  );
});

test('an error without a reason is traced and does no harm', () => {
  const { board, panel } = settled();
  for (const topic of [`${DESIRED}/get`, `${CURRENT}/put`]) {
    board.client.deliver(`${topic}/response/error`, 'what?');
    board.client.deliver(`${topic}/response/error`, { error: 7 });
  }
  assert.is(board.traced('no reason given'), 4);
  assert.equal(panel.orders, [false]);
});

test('whatever arrives on whatever topic, nothing is thrown and only a sound desired document counts', () => {
  const topics = fc.oneof(
    fc.string(),
    fc.constantFrom(
      `${DESIRED}/changed`,
      `${DESIRED}/get/response/success`,
      `${DESIRED}/get/response/error`,
      `${CURRENT}/patch/response/error`,
    ),
  );
  const bodies = fc.oneof(
    fc.uint8Array({ minLength: 1 }),
    fc.json().map((json) => new TextEncoder().encode(json)),
    fc.json().map((json) => new TextEncoder().encode(`{"version":1,"data":${json}}`)),
  );
  fc.assert(
    fc.property(topics, bodies, (topic, body) => {
      const { board, panel } = settled();
      board.client.deliver(topic, body, 5);
      assert.equal(panel.orders, [false]);
    }),
  );
});

test.run();
