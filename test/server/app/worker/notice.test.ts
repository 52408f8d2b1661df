/** What the service worker shows of a push message. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { speak } from '../../../../server/app/page/state/say.js';
import { speechOf } from '../../../../server/app/speech.js';
import { noticeOf, unheard } from '../../../../server/app/worker/notice.js';

speak(speechOf('en'));

const PUSHED = {
  id: 'a.0.phones.p',
  alert_id: 'a',
  kind: 'triggered',
  telling: 'raised',
  panel_id: 'panel',
  title: 'Alarm: Front door',
  text: 'It is so.',
  at: '2026-11-26T12:00:00.000Z',
};

const shown = (change: object, mayAct = true) => noticeOf(JSON.stringify({ ...PUSHED, ...change }), mayAct);
const actionsOf = (change: object, mayAct = true): string[] =>
  shown(change, mayAct).options.actions.map(({ title }) => title);

test('an alarm stays until it is touched, sounds each time, and can be disarmed', () => {
  for (const telling of ['raised', 'repeated']) {
    const { title, options } = shown({ telling });
    assert.equal([title, options.body, options.tag], ['Alarm: Front door', 'It is so.', 'a']);
    assert.equal([options.requireInteraction, options.renotify, options.silent], [true, true, false]);
    assert.equal(options.data, { panelId: 'panel', alertId: 'a', kind: 'triggered' });
    assert.is(options.timestamp, Date.parse(PUSHED.at));
    assert.equal(actionsOf({ telling }), ['Disarm', 'Seen']);
  }
});

test('that it is over takes its place, without a sound, and with nothing to press', () => {
  const { options } = shown({ telling: 'resolved' });
  assert.equal(
    [options.tag, options.requireInteraction, options.silent, options.renotify],
    ['a', false, true, false],
  );
  assert.equal(actionsOf({ telling: 'resolved' }), []);
});

test('only an alarm can be disarmed, and what is quiet or a test has nothing to press', () => {
  assert.equal(actionsOf({ kind: 'unreachable' }), ['Seen']);
  assert.equal(actionsOf({ kind: 'restarted', panel_id: null }), ['Seen']);
  assert.equal(actionsOf({ kind: 'armed' }), []);
  assert.equal(actionsOf({ telling: 'test' }), []);
  assert.is(shown({ kind: 'armed' }).options.silent, true);
});

test('a phone that may only look has nothing to press', () => {
  assert.equal(actionsOf({}, false), []);
});

test('a message that cannot be read is shown too', () => {
  for (const text of ['', '{', 'null', '[]', '{}', '{"alert_id":1,"title":"x"}', '{"alert_id":"a"}']) {
    const { title, options } = noticeOf(text, true);
    assert.equal([title, options.tag, options.silent], ['Alarm', 'unread', false], text);
  }
});

test('a message is said in the language of the app, at the time of the phone', () => {
  const now = Date.parse('2026-11-26T12:05:00.000Z');
  const raised_at = PUSHED.at;
  const told = { ...PUSHED, panel: 'Haustür', subject: 'Fenster', raised_at };
  const said = (change: object) => {
    const { title, options } = noticeOf(JSON.stringify({ ...told, ...change }), true, now, {
      timeZone: 'Europe/Berlin',
    });
    return [title, options.body];
  };
  speak(speechOf('de'));
  assert.equal(said({}), ['Alarm: Haustür, Fenster', 'Seit 13:00.']);
  assert.equal(said({ telling: 'resolved' }), ['Vorbei: Alarm: Haustür, Fenster', 'Beginn: 13:00.']);
  assert.equal(said({ kind: 'unreachable', count: 7 }), [
    'Keine Verbindung zu 7 scharfen Anlagen',
    PUSHED.text,
  ]);
  speak(speechOf('en'));
});

test('a message without a text and a time is shown without them', () => {
  const { options } = noticeOf('{"alert_id":"a","title":"x"}', true);
  assert.equal([options.body, 'timestamp' in options, options.data.panelId], ['', false, null]);
});

test('what the server did not hear is said in place of the alert', () => {
  const { title, options } = unheard({ panelId: 'panel', alertId: 'a' });
  assert.equal([title, options.tag, options.data.panelId], ['Not acknowledged', 'a', 'panel']);
});

test.run();
