import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseCalls, parseInstructions, perRequest } from './counting.js';

test('the summary of strace is read, without its total', () => {
  const summary = `    calls syscall
--------- ----------------
      382 epoll_pwait
       19 pwrite64
--------- ----------------
      401 total
`;
  assert.equal(parseCalls(summary), { epoll_pwait: 382, pwrite64: 19 });
  assert.equal(parseCalls(''), {});
});

test('the instructions are read from what perf writes, and are undefined where it cannot count them', () => {
  const words = '# started on a day\n\n';
  assert.is(parseInstructions(`${words}182736455,,instructions:u,1000321123,100.00,,\n`), 182_736_455);
  assert.is(parseInstructions(`${words}<not supported>,,instructions:u,0,100.00,,\n`), undefined);
});

test('what a load does when it begins and ends is in no count of a request', () => {
  const short = { requests: 100, counts: { accept4: 64, write: 64 + 100, close: 64 } };
  const long = { requests: 300, counts: { accept4: 64, write: 64 + 300, close: 64, futex: 20 } };
  assert.equal(perRequest(short, long), { accept4: 0, write: 1, close: 0, futex: 0.1 });
});

test.run();
