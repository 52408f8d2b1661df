import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SerialConsole } from '../../../../firmware/boards/sdk/console.js';

/** A console, and its port that takes as much as the test lets it. */
function opened() {
  const port = { room: 0, text: '', take: (_count: number): void => {} };
  const serial = new SerialConsole((onWritable) => {
    port.take = (count) => {
      port.room = count;
      onWritable(count);
    };
    return {
      write(bytes) {
        if (bytes.byteLength > port.room) throw new Error('output full');
        port.room -= bytes.byteLength;
        port.text += Buffer.from(bytes).toString('latin1');
      },
    };
  });
  return { serial, port };
}

test('lines go out in their order as the port takes them, and never more than that', () => {
  const { serial, port } = opened();
  serial.write('link: online');
  serial.write('clock');
  assert.is(port.text, '');
  port.take(5);
  assert.is(port.text, 'link:');
  port.take(128);
  assert.is(port.text, 'link: online\r\nclock\r\n');
  serial.write('more');
  assert.ok(port.text.endsWith('more\r\n'));
});

test('a port that takes nothing holds 2 KiB, and the lines beyond that are counted', () => {
  const { serial, port } = opened();
  for (let line = 0; line < 100; line++) serial.write('x'.repeat(98));
  port.take(4096);
  assert.is(port.text.length, 2000);
  serial.write('next');
  assert.ok(port.text.endsWith('(80 lines dropped)\r\nnext\r\n'));
  serial.write('last');
  assert.ok(port.text.endsWith('next\r\nlast\r\n'));
});

test('what is not ASCII is one byte each', () => {
  const { serial, port } = opened();
  port.take(128);
  serial.write('é…');
  assert.is(port.text, '~~\r\n');
});

test.run();
