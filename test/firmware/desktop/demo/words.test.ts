import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { keysHelp, PANEL_WORDS, sayLine, wordOf } from '../../../../firmware/desktop/demo/words.js';

const ON = { windowOpen: false, power: true, network: true };
const OFF = { windowOpen: true, power: false, network: false };

test('a key says its word', () => {
  assert.equal(
    [...'ockads?q'].map((key) => wordOf(key, ON)),
    ['open', 'close', 'key', 'arm', 'disarm', 'state', 'help', 'quit'],
  );
});

test('window, power and network have one key each, which turns over', () => {
  assert.equal([wordOf('w', ON), wordOf('w', OFF)], ['open window', 'close window']);
  assert.equal([wordOf('p', ON), wordOf('p', OFF)], ['power-off', 'power-on']);
  assert.equal([wordOf('n', ON), wordOf('n', OFF)], ['network-off', 'network-on']);
});

test('Ctrl-C and Ctrl-D quit on a terminal that gives them as keys', () => {
  assert.equal([wordOf('\u0003', ON), wordOf('\u0004', ON)], ['quit', 'quit']);
});

test('any other key says nothing', () => {
  for (const key of ['x', 'O', ' ', '\u001b', '']) assert.is(wordOf(key, ON), undefined);
});

test('the words that turn a switch leave it so that the key turns it back', () => {
  const turned = { ...ON, ...PANEL_WORDS.get('power-off') };
  assert.is(wordOf('p', turned), 'power-on');
  assert.is(wordOf('w', { ...ON, ...PANEL_WORDS.get('open window') }), 'close window');
  assert.is(wordOf('p', { ...turned, ...PANEL_WORDS.get('power-on') }), 'power-off');
});

test('a line is a word, or any number of keys', () => {
  const said: string[] = [];
  for (const line of ['open', 'open window', 'key', 'okd', 'power-off', 'explode', 'q'])
    sayLine(line, ON, (word) => said.push(word));
  assert.is(said.join(), 'open,open window,key,open,key,disarm,power-off,explode,quit');
});

test('the help shows every key', () => {
  for (const key of 'ocwkadpns?q') assert.match(keysHelp(), `  ${key}  `);
});

test.run();
