import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FLASHES } from '../../firmware/signals.js';
import { start } from '../../firmware/start.js';
import { A_DATE, MemoryBoard } from './memory-board.js';

const CERTIFICATE = { kind: 'certificate', reason: 'it ended yesterday' } as const;

/** A panel whose first connection has been opened. */
function connecting(): MemoryBoard {
  const board = new MemoryBoard();
  start(board);
  board.advanceToConnection();
  return board;
}

/** How often the LED flashes before a pause. */
function flashes(board: MemoryBoard): number {
  const { writes } = board.led;
  const pause = (): boolean => {
    const [off, on] = writes.slice(-2);
    return off?.on === false && on?.on === true && on.at - off.at === 1800;
  };
  for (let rounds = 0; rounds < 2; rounds++) {
    if (rounds === 1) writes.length = 0;
    do board.advance(100);
    while (!pause());
  }
  return writes.filter(({ on }) => on).length;
}

test('one flash: the server does not answer', () => {
  const board = connecting();
  assert.is(flashes(board), FLASHES.server);
  board.client.options.onError({ kind: 'network', reason: 'no way' });
  assert.is(flashes(board), FLASHES.server);
});

test('two flashes: there is no network, whatever the last connection ended by', () => {
  const board = connecting();
  board.client.options.onError(CERTIFICATE);
  board.setNetwork(false);
  assert.is(flashes(board), FLASHES.network);
  board.setNetwork(true);
  assert.is(flashes(board), FLASHES.time);
});

test('three flashes: the certificate is refused while the time is not known, and four as soon as it is', () => {
  const board = connecting();
  board.client.options.onError(CERTIFICATE);
  assert.is(flashes(board), FLASHES.time);
  board.queries.at(-1)?.(A_DATE);
  board.advanceToConnection();
  board.client.options.onError(CERTIFICATE);
  assert.is(flashes(board), FLASHES.certificate);
});

for (const returnCode of [4, 5]) {
  test(`five flashes: the device is refused by CONNACK ${returnCode}`, () => {
    const board = connecting();
    board.client.acknowledge(returnCode);
    assert.is(flashes(board), FLASHES.device);
  });
}

test('a server that is busy, by CONNACK 3, has nothing against the device', () => {
  const board = connecting();
  board.client.acknowledge(3);
  assert.is(flashes(board), FLASHES.server);
});

test('a connection that was accepted forgets why earlier ones failed', () => {
  const board = connecting();
  board.client.acknowledge(5);
  board.advanceToConnection();
  board.client.accept();
  assert.not.ok(board.led.on);
  board.client.options.onError({ kind: 'network', reason: 'reset' });
  assert.is(flashes(board), FLASHES.server);
});

test.run();
