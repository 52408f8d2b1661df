import { pino } from 'pino';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { auditTo } from '../../server/audit.js';

test('what is audited is one structured line of level info, named by its event', () => {
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

test.run();
