import { pino } from 'pino';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { auditTo } from '../../server/audit.js';

test('an audited event is one structured line of level info, with the name of the event', () => {
  const lines: string[] = [];
  const audit = auditTo(pino({ base: null, timestamp: false }, { write: (line) => lines.push(line) }));
  audit('authentication_refused', { source: '192.0.2.7', via: 'mqtt', reason: 'wrong password' });
  audit('token_revoked', { token_id: 'one', by_token: 'other' });
  assert.equal(
    lines.map((line) => JSON.parse(line)),
    [
      {
        level: 30,
        audit: 'authentication_refused',
        source: '192.0.2.7',
        via: 'mqtt',
        reason: 'wrong password',
        msg: 'audit',
      },
      { level: 30, audit: 'token_revoked', token_id: 'one', by_token: 'other', msg: 'audit' },
    ],
  );
});

test('a source that is refused without end fills no disk, and what is left out is counted', () => {
  const clock = { now: 0 };
  const lines: { unlogged?: number }[] = [];
  const sink = { write: (line: string) => lines.push(JSON.parse(line)) };
  const audit = auditTo(pino({}, sink), () => clock.now);
  const refuse = (times: number, source: string) => {
    for (let n = 0; n < times; n += 1) audit('authentication_refused', { source, via: 'rest' });
  };
  refuse(100_000, 'a');
  assert.is(lines.length, 60);
  refuse(1, 'b');
  assert.is(lines.length, 61);
  clock.now = 1000;
  refuse(10, 'a');
  assert.is(lines.length, 62);
  assert.is(lines.at(-1)?.unlogged, 100_000 - 60);
  clock.now = 2000;
  refuse(1, 'a');
  assert.is(lines.at(-1)?.unlogged, 9);
  clock.now = 3000;
  refuse(1, 'a');
  assert.is(lines.at(-1)?.unlogged, undefined);
});

test('every event of an owner is logged', () => {
  const lines: string[] = [];
  const audit = auditTo(pino({}, { write: (line) => lines.push(line) }), () => 0);
  for (let n = 0; n < 500; n += 1) audit('device_created', { device_id: `device ${n}`, source: 'a' });
  assert.is(lines.length, 500);
});

test.run();
