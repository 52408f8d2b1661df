import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  ACTIONS,
  changedTopic,
  deletedTopic,
  isTopicFilter,
  OWN_TOPICS,
  parseReply,
  parseRequestTopic,
  requestTopic,
  responseTopic,
  topicMatches,
} from '../../shared/topics.js';

const test = suite('topic grammar');

const level = fc.string({ minLength: 1, maxLength: 70 }).filter((text) => !text.includes('/'));
const action = fc.constantFrom(...ACTIONS);

test('a request topic parses to what it was built from', () => {
  fc.assert(
    fc.property(level, action, level, (document, asked, twin) => {
      assert.equal(parseRequestTopic(requestTopic(document, asked, twin)), { twin, document, action: asked });
    }),
  );
});

test('a reply topic parses to what it was built from, and is no request', () => {
  fc.assert(
    fc.property(
      level,
      action,
      fc.constantFrom('success' as const, 'error' as const),
      (document, asked, outcome) => {
        const topic = responseTopic(document, asked, outcome);
        assert.equal(parseReply(topic), { twin: 'me', document, action: asked, outcome });
        assert.is(parseRequestTopic(topic), undefined);
      },
    ),
  );
});

test('a push topic parses to what it was built from, and is no request', () => {
  fc.assert(
    fc.property(level, (document) => {
      assert.equal(parseReply(changedTopic(document)), { twin: 'me', document, outcome: 'changed' });
      assert.is(parseRequestTopic(changedTopic(document)), undefined);
      assert.equal(parseReply(deletedTopic(document)), { twin: 'me', document, outcome: 'deleted' });
      assert.is(parseRequestTopic(deletedTopic(document)), undefined);
    }),
  );
});

test('the topics are the documented ones', () => {
  assert.is(requestTopic('current', 'put'), '$SCW/twins/me/current/put');
  assert.is(responseTopic('current', 'put', 'success'), '$SCW/twins/me/current/put/response/success');
  assert.is(changedTopic('desired'), '$SCW/twins/me/desired/changed');
  assert.is(deletedTopic('desired'), '$SCW/twins/me/desired/deleted');
});

const NO_REQUESTS = [
  '',
  '/',
  '$SCW',
  '$SCW/twins/me',
  '$SCW/twins/me/d',
  '$SCW/twins//d/get',
  '$SCW/twins/me/d/shout',
  '$SCW/twins/me/d/get/',
  '$SCW/twins/me/a/b/get',
  'x$SCW/twins/me/d/get',
  '$scw/twins/me/d/get',
  '/$SCW/twins/me/d/get',
];

for (const topic of NO_REQUESTS) {
  test(`is no request :: ${JSON.stringify(topic)}`, () => {
    assert.is(parseRequestTopic(topic), undefined);
  });
}

// [MQTT-4.7.1], [MQTT-4.7.2-1]; the table is the specification's own examples and ours.
const MATCHES: [filter: string, topic: string, matches: boolean][] = [
  ['sport/tennis/player1/#', 'sport/tennis/player1', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
  ['sport/tennis/+', 'sport/tennis/player1', true],
  ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
  ['sport/+', 'sport', false],
  ['sport/+', 'sport/', true],
  ['+/+', '/finance', true],
  ['/+', '/finance', true],
  ['+', '/finance', false],
  ['#', '$SYS/monitor', false],
  ['+/monitor/Clients', '$SYS/monitor/Clients', false],
  ['$SYS/#', '$SYS/monitor', true],
  [OWN_TOPICS, '$SCW/twins/me/current/put/response/error', true],
  [OWN_TOPICS, '$SCW/twins/other/current/changed', false],
  ['$SCW/twins/me/+/changed', '$SCW/twins/me/desired/changed', true],
  ['$SCW/twins/me/+/changed', '$SCW/twins/me/desired/get/response/success', false],
];

for (const [filter, topic, matches] of MATCHES) {
  test(`${filter} ${matches ? 'covers' : 'does not cover'} ${topic}`, () => {
    assert.is(topicMatches(filter, topic), matches);
  });
}

test('a filter without wildcards covers itself alone', () => {
  fc.assert(
    fc.property(fc.array(level, { minLength: 1 }), fc.array(level, { minLength: 1 }), (one, other) => {
      const [filter, topic] = [one.join('/'), other.join('/')];
      if (isTopicFilter(filter) && !filter.includes('+') && !filter.includes('#')) {
        assert.is(topicMatches(filter, topic), filter === topic);
        assert.ok(topicMatches(filter, filter));
      }
    }),
  );
});

test('a filter covers what it covers level by level, whatever the levels are', () => {
  const covers = ([first, ...wanted]: string[], [given, ...rest]: string[]): boolean => {
    if (first === undefined) return given === undefined;
    return (
      first === '#' || (given !== undefined && (first === '+' || first === given) && covers(wanted, rest))
    );
  };
  const levels = fc.array(fc.constantFrom('', 'a', 'ab', '+'), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(levels, fc.boolean(), levels, (filter, open, topic) => {
      const wanted = open ? [...filter, '#'] : filter;
      const given = topic.map((name) => name.replace('+', 'c'));
      assert.is(topicMatches(wanted.join('/'), given.join('/')), covers(wanted, given));
    }),
    { numRuns: 1000 },
  );
});

test('a wildcard stands for a whole level, and # only at the end', () => {
  for (const filter of ['#', '+', 'a/#', '+/+/#', '/', 'a//b']) assert.ok(isTopicFilter(filter), filter);
  for (const filter of ['', 'a#', '#/a', 'a/#/b', 'a+', '+a/b', 'a/b+'])
    assert.not.ok(isTopicFilter(filter), filter);
});

test.run();
