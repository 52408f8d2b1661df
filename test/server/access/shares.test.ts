import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Member, type Share, type ShareLimits, Shares } from '../../../server/access/shares.js';
import { TestLoop } from './test-loop.js';

const LIMITS = { turnWork: 100, workPerSecond: 1e9, sharesATurn: 2, membersATurn: 3 };

/** A connection with as many requests as it is given, each of which is so much work. */
class Client implements Member {
  isReading = true;
  done = 0;

  constructor(
    readonly share: Share,
    readonly work: number,
    public requests = 0,
  ) {
    share.join(this);
  }

  pause(): void {
    this.isReading = false;
  }

  resume(): void {
    this.isReading = true;
    this.run();
  }

  run(): void {
    while (this.share.isOpen && this.requests > 0) {
      this.requests -= 1;
      this.done += 1;
      this.share.spend(this.work);
    }
  }
}

interface Context {
  loop: TestLoop;
  shares(limits?: Partial<ShareLimits>): Shares;
}

const test = suite<Context>('shares');

test.before.each((context) => {
  context.loop = new TestLoop();
  context.shares = (limits) => new Shares({ ...LIMITS, ...limits }, context.loop);
});

test('a share whose turn is ended goes on in the next one, without a debt', ({ loop, shares }) => {
  const client = new Client(shares().of('a'), 10);
  for (let count = 0; count < 200; count++) client.share.endTurn();
  assert.is(client.isReading, false);
  loop.turn();
  assert.is(client.isReading, true);
});

test('a share does as much work in a turn as the limit says, and goes on in the next one', ({
  loop,
  shares,
}) => {
  const client = new Client(shares().of('a'), 10, 1000);
  client.run();
  assert.equal([client.done, client.isReading], [10, false]);
  loop.turn();
  assert.is(client.done, 20);
  loop.turn();
  assert.is(client.done, 30);
});

test('one request is done however much work it is, and costs as many turns as it is worth', ({
  loop,
  shares,
}) => {
  const client = new Client(shares().of('a'), 1000, 2);
  client.run();
  assert.is(client.done, 1);
  for (let turn = 1; turn < 10; turn++) {
    loop.turn();
    assert.is(client.done, 1, `turn ${turn}`);
  }
  loop.turn();
  assert.is(client.done, 2);
});

test('a share that keeps within its turns is never paused', ({ loop, shares }) => {
  const client = new Client(shares().of('a'), 10);
  for (let turn = 0; turn < 100; turn++) {
    client.requests = 9;
    client.run();
    assert.equal([client.requests, client.isReading], [0, true]);
    loop.turn();
  }
});

test('all connections of a share pause together, and another share goes on', ({ shares }) => {
  const all = shares();
  const share = all.of('greedy');
  const connections = Array.from({ length: 5 }, () => new Client(share, 10, 100));
  const other = new Client(all.of('modest'), 10, 1);
  connections[0]?.run();
  assert.equal(
    connections.map(({ isReading }) => isReading),
    [false, false, false, false, false],
  );
  other.run();
  assert.equal([other.done, other.isReading], [1, true]);
});

test('the connections of a share take turns', ({ loop, shares }) => {
  const share = shares().of('a');
  const connections = Array.from({ length: 5 }, () => new Client(share, 100, 100));
  connections[0]?.run();
  for (let turn = 1; turn < 100; turn++) loop.turn();
  const done = connections.map((each) => each.done);
  assert.ok(Math.max(...done) - Math.min(...done) <= 2, done.join());
});

test('a connection that has not been read yet comes before those that have asked already', ({
  loop,
  shares,
}) => {
  const share = shares().of('a');
  const old = Array.from({ length: 5 }, () => new Client(share, 100, 100));
  old[0]?.run();
  const fresh = new Client(share, 100, 1);
  loop.turn();
  assert.is(fresh.done, 1);
});

test('of the connections that have not been read yet the newest one comes first', ({ loop, shares }) => {
  const share = shares().of('a');
  share.spend(100);
  const [old, newest] = [new Client(share, 100, 1), new Client(share, 100, 1)];
  loop.turn();
  assert.equal([old.done, newest.done], [0, 1]);
});

test('only so many connections of a share are read again in one turn', ({ loop, shares }) => {
  const share = shares().of('a');
  const connections = Array.from({ length: 7 }, () => new Client(share, 10));
  share.spend(100);
  const reading = () => connections.filter(({ isReading }) => isReading).length;
  const seen = [reading()];
  for (let turn = 0; turn < 3; turn++) {
    loop.turn();
    seen.push(reading());
  }
  assert.equal(seen, [0, 3, 6, 7]);
});

test('a connection that joins a share without a turn left waits for the next one', ({ loop, shares }) => {
  const share = shares().of('a');
  share.spend(100);
  const client = new Client(share, 10, 1);
  assert.is(client.isReading, false);
  loop.turn();
  assert.equal([client.isReading, client.done], [true, 1]);
});

test('a connection that has left is not resumed', ({ loop, shares }) => {
  const share = shares().of('a');
  const client = new Client(share, 10, 1);
  share.spend(100);
  share.leave(client);
  loop.turn();
  assert.equal([client.isReading, client.done], [false, 0]);
});

test('a connection that leaves when another one is resumed is not read again', ({ loop, shares }) => {
  const share = shares().of('a');
  const [first, second] = [new Client(share, 10), new Client(share, 10, 1)];
  first.run = () => share.leave(second);
  share.spend(100);
  loop.turn();
  share.spend(100);
  loop.turn();
  assert.equal([second.isReading, second.done], [false, 0]);
});

test('only so many shares get a turn together, and each gets its turn', ({ loop, shares }) => {
  const all = shares();
  const clients = Array.from({ length: 5 }, (_, n) => new Client(all.of(`${n}`), 100, 100));
  for (const client of clients) client.run();
  const done = () => clients.map(({ done }) => done);
  loop.turn();
  assert.equal(done(), [2, 2, 1, 1, 1]);
  loop.turn();
  assert.equal(done(), [2, 2, 2, 2, 1]);
  for (let turn = 0; turn < 3; turn++) loop.turn();
  assert.equal(done(), [3, 3, 3, 3, 3]);
});

test('an owner does not wait until the other shares had their turns', ({ loop, shares }) => {
  const all = shares();
  for (let n = 0; n < 5; n++) new Client(all.of(`${n}`), 100, 100).run();
  const owner = new Client(all.reserved('owner'), 100, 100);
  owner.run();
  for (let turn = 1; turn < 10; turn++) {
    loop.turn();
    assert.is(owner.done, 1 + turn);
  }
});

test('over a longer time a share does no more work than the average allows', ({ loop, shares }) => {
  const client = new Client(shares({ workPerSecond: 1000 }).of('a'), 10, 1e6);
  client.run();
  for (let turn = 0; turn < 60_000; turn++) loop.turn(1);
  assert.ok(Math.abs(client.done - 6100) <= 2, `${client.done}`);
});

test('servers that share their clients divide the average between them, as many as they are then', ({
  loop,
}) => {
  let liveNodes = 2;
  const limits = { ...LIMITS, workPerSecond: 1000 };
  const client = new Client(new Shares(limits, loop, () => liveNodes).of('a'), 10, 1e6);
  client.run();
  for (let turn = 0; turn < 60_000; turn++) loop.turn(1);
  assert.ok(Math.abs(client.done - 3050) <= 2, `${client.done}`);
  liveNodes = 1;
  for (let turn = 0; turn < 60_000; turn++) loop.turn(1);
  assert.ok(Math.abs(client.done - 9050) <= 2, `${client.done}`);
});

test('an owner is not bounded by an average', ({ loop, shares }) => {
  const client = new Client(shares({ workPerSecond: 1000 }).reserved('owner'), 10, 1e6);
  client.run();
  for (let turn = 0; turn < 1000; turn++) loop.turn(1);
  assert.is(client.done, 10 * 1001);
});

test('the event loop rests when every share has kept within its turn', ({ loop, shares }) => {
  const client = new Client(shares().of('a'), 10, 25);
  client.run();
  for (let turn = 0; turn < 4; turn++) loop.turn();
  assert.equal([client.done, loop.isIdle], [25, true]);
});

test('a key keeps its share', ({ shares }) => {
  const all = shares();
  assert.is(all.of('a'), all.of('a'));
  assert.is.not(all.of('a'), all.of('b'));
});

test.run();
