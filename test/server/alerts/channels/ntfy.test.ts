import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ITSELF } from '../../../../server/alerts/channels/channel.js';
import { ntfy } from '../../../../server/alerts/channels/ntfy.js';
import { cut } from '../../../../server/alerts/channels/template.js';
import { lastOf, type Receiver, startReceiver } from '../receiver.js';
import { messageOf } from './message.js';

const test = suite<{ receiver: Receiver }>('ntfy');

test.before.each(async (context) => {
  context.receiver = await startReceiver();
});
test.after.each(({ receiver }) => receiver.close());

const sent = ({ received }: Receiver) => JSON.parse(received.at(-1)?.body ?? '');

test('an alarm is published as JSON, to the topic in the URL', async ({ receiver }) => {
  const channel = ntfy({ url: `${receiver.url}/my-topic`, token: 'tk_1', allow_private: true });
  assert.equal(await channel.send(messageOf(), ITSELF), { kind: 'delivered' });
  assert.equal(sent(receiver), {
    topic: 'my-topic',
    title: 'Alarm: Cabin, window',
    message: 'It is so.',
    priority: 5,
    tags: ['rotating_light'],
    click: 'https://house/#panel=1',
  });
  const { path, headers } = lastOf(receiver);
  assert.equal([path, headers.authorization], ['/', 'Bearer tk_1']);
});

test('that it is over is quiet, and without a link there is none', async ({ receiver }) => {
  const channel = ntfy({ url: `${receiver.url}/t`, allow_private: true });
  await channel.send(messageOf({ telling: 'resolved', link: '' }), ITSELF);
  const { priority, click } = sent(receiver);
  assert.equal([priority, click], [2, undefined]);
  assert.is(receiver.received[0]?.headers.authorization, undefined);
});

test('a long message is cut, so that it does not become an attachment', async ({ receiver }) => {
  const channel = ntfy({ url: `${receiver.url}/t`, allow_private: true });
  await channel.send(messageOf({ text: '🚨'.repeat(3000), title: 'ä'.repeat(300) }), ITSELF);
  const { message, title } = sent(receiver);
  assert.equal([Buffer.byteLength(message) <= 4096, Buffer.byteLength(title) <= 256], [true, true]);
  assert.match(message, /^(🚨)+…$/u);
});

test('a text is cut at a character', () => {
  assert.is(cut('abc', 3), 'abc');
  assert.is(cut('abcdefg', 6), 'abc…');
  assert.is(cut('a🚨🚨', 8), 'a🚨…');
  assert.is(cut('a🚨🚨', 7), 'a…');
});

test.run();
