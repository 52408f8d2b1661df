/** `npm run figures`: how large the house is, in numbers. */

import { SETTINGS } from '../../server/config.js';
import { deadExports } from './exports.js';
import { circles, upwardArrows } from './layers.js';
import { functionsOf, measurePuts, type Passed } from './puts.js';
import { readSources, type Source } from './sources.js';

const BUNDLE_TYPE = /^(?:export )?(?:interface|type) (\w+(?:Parts|Options|Settings))\b/gm;

const isProduct = ({ path }: Source): boolean => !path.startsWith('test/');

function print(title: string, count: number, names: string[]): void {
  console.log(`${String(count).padStart(5)}  ${title}`);
  for (const name of names) console.log(`         ${name}`);
}

function printPut(title: string, passed: Passed): void {
  const files = [...passed].map(([file, names]) => `${file}: ${names.length}`).sort();
  print(`files and ${functionsOf(passed)} functions that ${title} passes`, passed.size, files);
}

const sources = readSources();
const product = sources.filter(isProduct);
const inCircles = circles(sources).map((files) => files.join(' ↔ '));
const upward = upwardArrows(product);
const bundles = product.flatMap(({ path, text }) =>
  [...text.matchAll(BUNDLE_TYPE)].map(([, name]) => `${path} ${name}`),
);
const ofTests = new Set(deadExports(sources).map(({ path, name }) => `${path} ${name}`));
const dead = deadExports(product);
const unused = dead.map(({ path, name }) => `${path} ${name}`).filter((name) => ofTests.has(name));
const { rest, inband } = await measurePuts();

printPut('one put by REST', rest);
printPut('one put in-band', inband);
print('circles of imports', inCircles.length, inCircles);
print('imports that lead upwards', upward.length, upward);
print('settings of the server', Object.keys(SETTINGS).length, []);
print('types named …Parts, …Options or …Settings', bundles.length, bundles);
print('exports that no other file of the product imports', dead.length, []);
print('exports that no other file imports, no test either', unused.length, unused);
