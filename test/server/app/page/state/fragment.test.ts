import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  consoleAddress,
  deviceInFragment,
  panelFragment,
  panelInFragment,
  tokenIn,
  tokenInFragment,
} from '../../../../../server/app/page/state/fragment.js';
import { ID, TOKEN } from './world.js';

test('a pairing link has the token behind the #', () => {
  assert.is(tokenInFragment(`#token=${TOKEN}`), TOKEN);
  assert.is(tokenInFragment(`#token=${TOKEN.toUpperCase()}`), TOKEN);
});

for (const fragment of [
  '',
  '#',
  '#token=',
  '#token=secret',
  `#token=${TOKEN}0`,
  `#x&token=${TOKEN}`,
  `#panel=${ID}`,
]) {
  test(`"${fragment}" pairs nothing`, () => assert.is(tokenInFragment(fragment), undefined));
}

test('the link may be pasted, or the code alone, with the spaces around it', () => {
  assert.is(tokenIn(TOKEN), TOKEN);
  assert.is(tokenIn(` ${TOKEN.toUpperCase()}\n`), TOKEN);
  assert.is(tokenIn(`https://twin.local:8443/#token=${TOKEN}`), TOKEN);
});

for (const pasted of [
  '',
  'secret',
  TOKEN.slice(1),
  `${TOKEN} and more`,
  `https://twin.local/?token=${TOKEN}`,
]) {
  test(`"${pasted}" is no pairing code`, () => assert.is(tokenIn(pasted), undefined));
}

test('a panel has its own address', () => {
  assert.is(panelInFragment(panelFragment(ID)), ID);
  assert.is(panelInFragment('#panel=front'), undefined);
  assert.is(panelInFragment(''), undefined);
});

test('the console has an address of its own for each device', () => {
  const [path, fragment] = consoleAddress(ID).split('#');
  assert.is(path, '/console');
  assert.is(deviceInFragment(`#${fragment}`), ID);
  assert.is(consoleAddress(undefined), '/console');
  assert.is(deviceInFragment('#device=lamp'), undefined);
});

test.run();
