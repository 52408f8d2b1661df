import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { endsPairing, type Fault, faultOf, wordsOf } from '../../../../../server/app/page/state/fault.js';
import { restErrorOf } from '../../../../../shared/rest.js';
import './world.js';

const FAULTS: Record<Fault, true> = {
  revoked: true,
  'wrong-code': true,
  expired: true,
  'no-token': true,
  'not-allowed': true,
  'panel-unknown': true,
  'storage-full': true,
  'too-many': true,
  'server-away': true,
  'server-fault': true,
  'not-sent': true,
  'pin-needed': true,
  'pin-wrong': true,
  'pin-locked': true,
};
const ALL = Object.keys(FAULTS) as Fault[];

const ANSWERS: [number, unknown, Fault][] = [
  [401, { type: 'denied_authentication', reason: 'not_found' }, 'revoked'],
  [401, { type: 'denied_authentication', reason: 'expired' }, 'expired'],
  [403, { type: 'permissions_denied' }, 'not-allowed'],
  [403, { type: 'pin_refused', reason: 'required' }, 'pin-needed'],
  [403, { type: 'pin_refused', reason: 'wrong' }, 'pin-wrong'],
  [403, { type: 'pin_refused', reason: 'locked' }, 'pin-locked'],
  [403, { type: 'pin_refused', reason: 'another' }, 'pin-wrong'],
  [404, { type: 'not_found', resource: 'device' }, 'panel-unknown'],
  [404, { type: 'unknown_resource' }, 'server-fault'],
  [429, { type: 'too_many_requests' }, 'too-many'],
  [500, { type: 'internal_error' }, 'server-fault'],
  [502, undefined, 'server-away'],
  [503, { type: 'transient_state' }, 'storage-full'],
  [418, 'not JSON', 'server-fault'],
];

for (const [status, body, fault] of ANSWERS) {
  test(`an answer ${status} with ${JSON.stringify(body)} is ${fault}`, () => {
    assert.is(faultOf(status, restErrorOf(body)), fault);
  });
}

test('every fault is said in words, with what to do', () => {
  for (const { what, todo } of ALL.map(wordsOf)) {
    assert.match(what, /^[A-Z].*\.$/);
    assert.match(todo, /^[A-Z].*\.$/);
  }
});

test('only a revoked or expired token ends the pairing', () => {
  assert.equal(ALL.filter(endsPairing), ['revoked', 'wrong-code', 'expired']);
});

test.run();
