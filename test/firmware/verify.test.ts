/** The proof of the server, on Node and on XS, against each kind of impostor. */

import { randomBytes } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { nodeP256 } from '../../firmware/desktop/board/p256.js';
import {
  CertificateFault,
  checkKeyExchange,
  type Expected,
  type P256,
  provenKey,
} from '../../firmware/verify.js';
import { Workbench } from './desktop/workbench.js';
import {
  certificateMessage,
  HOST,
  type Impostor,
  keyExchangeMessage,
  makeScene,
  NOW,
  type Scene,
} from './impostors.js';
import { type Answer, recordedP256 } from './p256-record.js';

interface Context {
  scene: Scene;
  bench: Workbench;
}

const test = suite<Context>('verify');

/** What a server shows, and the randoms of both sides. */
interface Case {
  name: string;
  certificate: number[];
  exchange: number[];
  randoms: number[][];
}

const expected = ({ authority }: Scene, host = HOST): Expected => ({ authority, host, now: () => NOW });

function caseOf(server: Impostor): Case {
  const randoms = [randomBytes(32), randomBytes(32)];
  return {
    name: server.name,
    certificate: [...certificateMessage(server.certificates)],
    exchange: [...keyExchangeMessage(server, randoms)],
    randoms: randoms.map((random) => [...random]),
  };
}

/** Why a server is refused; undefined when it is not. Other exceptions are thrown. */
function refusal({ certificate, exchange, randoms }: Case, to: Expected, p256: P256): string | undefined {
  try {
    const key = provenKey(Uint8Array.from(certificate), to, p256);
    const bytes = randoms.map((random) => Uint8Array.from(random));
    checkKeyExchange(Uint8Array.from(exchange), key, bytes, p256);
    return undefined;
  } catch (error) {
    if (error instanceof CertificateFault) return error.message;
    throw error;
  }
}

test.before(async (context) => {
  context.scene = await makeScene();
});
test.before.each((context) => {
  context.bench = new Workbench();
});
test.after.each(({ bench }) => bench.end());

test('on Node, the right server is believed, and each impostor is refused for what is wrong', ({ scene }) => {
  for (const server of scene.servers)
    assert.is(refusal(caseOf(server), expected(scene), nodeP256()), server.reason, server.name);
});

test('on XS it is the same', async ({ scene, bench }) => {
  const cases = scene.servers.map((server) => {
    const { p256, answers } = recordedP256();
    const each = caseOf(server);
    refusal(each, expected(scene), p256);
    return { ...each, answers };
  });
  const lines = await bench.run(onXs(scene, cases));
  assert.equal(
    lines,
    scene.servers.map(({ reason }) => reason ?? 'believed'),
  );
});

/** A program that asks for each case on XS; the arithmetic is played back. */
const onXs = ({ authority }: Scene, cases: (Case & { answers: Answer[] })[]): string => `
  import { board } from 'firmware/boards/board.js';
  import { CertificateFault, checkKeyExchange, provenKey } from 'firmware/verify.js';
  const authority = Uint8Array.from(${JSON.stringify([...authority])});
  const expected = { authority, host: ${JSON.stringify(HOST)}, now: () => ${NOW} };
  const bytes = (numbers) => Uint8Array.from(numbers);
  for (const { certificate, exchange, randoms, answers } of ${JSON.stringify(cases)}) {
    const p256 = { sha256: () => bytes(answers.shift()), verify: () => answers.shift() };
    try {
      const key = provenKey(bytes(certificate), expected, p256);
      checkKeyExchange(bytes(exchange), key, randoms.map(bytes), p256);
      board.trace('believed');
    } catch (error) {
      board.trace(error instanceof CertificateFault ? error.message : 'thrown: ' + error);
    }
  }
  board.trace('end');
`;

const right = ({ servers }: Scene): Case => caseOf(servers[0] as Impostor);

test('an address is looked for among the addresses, and a name without regard to capitals', ({ scene }) => {
  const said = (host: string) => refusal(right(scene), expected(scene, host), nodeP256());
  assert.is(said('127.0.0.1'), undefined);
  assert.is(said('Home.Example'), undefined);
  assert.is(said('127.0.0.2'), 'it is not for this address');
  assert.is(said('7.0.0.1'), 'it is not for this address');
});

test('cut off anywhere, or with one byte more, neither message is believed', ({ scene }) => {
  const whole = right(scene);
  const p256 = nodeP256();
  for (const part of ['certificate', 'exchange'] as const) {
    for (let length = 0; length < whole[part].length; length++)
      assert.ok(refusal({ ...whole, [part]: whole[part].slice(0, length) }, expected(scene), p256));
    assert.ok(refusal({ ...whole, [part]: [...whole[part], 0] }, expected(scene), p256));
  }
});

test('with any byte changed, neither message is believed', ({ scene }) => {
  const whole = right(scene);
  const p256 = nodeP256();
  for (const part of ['certificate', 'exchange'] as const)
    for (let at = 0; at < whole[part].length; at++)
      for (const difference of [0x01, 0x80, 0xff]) {
        const changed = [...whole[part]];
        changed[at] = (changed[at] ?? 0) ^ difference;
        assert.ok(refusal({ ...whole, [part]: changed }, expected(scene), p256), `${part} ${at}`);
      }
});

test('noise is refused and nothing else', ({ scene }) => {
  const whole = right(scene);
  for (let round = 0; round < 2000; round++) {
    const noise = [...randomBytes(round % 300)];
    assert.ok(refusal({ ...whole, certificate: noise }, expected(scene), nodeP256()));
    assert.ok(refusal({ ...whole, exchange: noise }, expected(scene), nodeP256()));
  }
});

test('an exception of the arithmetic is a refusal', ({ scene }) => {
  const broken = (): never => {
    throw new Error('not on the curve');
  };
  const p256 = { ...nodeP256(), verify: broken };
  assert.match(refusal(right(scene), expected(scene), p256) ?? '', 'its authority is another');
});

test.run();
