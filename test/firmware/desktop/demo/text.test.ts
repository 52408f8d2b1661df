import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { describeState, parsePanelState } from '../../../../firmware/desktop/demo/text.js';

const STATE = {
  at: '2026-01-01T00:00:00.000Z',
  armed: true,
  door_open: true,
  state: 'triggered',
  mode: 'away',
  refused: false,
  siren_ringing: true,
  online: false,
  contacts: { 'front door': 'open', window: 'closed', 'key switch': 'open' },
} as const;

test("a line of the panel's JSON is a state, and any other line is none", () => {
  assert.equal(parsePanelState(JSON.stringify(STATE)), STATE);
  for (const line of ['', 'panel: connected', '{"level":30,"msg":"x"}'])
    assert.is(parsePanelState(line), undefined);
});

test('a state reads as a sentence', () => {
  assert.is(describeState(STATE), 'armed, front door open, window closed, SIREN RINGING, offline');
  assert.is(
    describeState({
      ...{ ...STATE, state: 'pending', mode: 'home', siren_ringing: false, online: true },
      contacts: { 'front door': 'closed', window: 'cut', 'key switch': 'open' },
    }),
    'pending (home), front door closed, window cut, siren silent, online',
  );
  assert.match(
    describeState({ ...STATE, state: 'disarmed', mode: 'home', refused: true }),
    /^disarmed \(order refused\), /,
  );
});

test.run();
