/** `npm run figures`: how large the house is, in numbers. */

import { parseArgs } from 'node:util';
import { closestMatch } from 'leven';
import { SETTINGS } from '../../server/config.js';
import { ABOUT_OPTIONS, aboutText, exitStatus, failureText, understood } from '../../shared/usage.js';
import { deadExports, type Export } from './exports.js';
import { circles, upwardArrows } from './layers.js';
import { measurePuts, type Passed } from './puts.js';
import { readSources, type Source } from './sources.js';

const HELP = `Counts what a reader of the program has to pass. test/structure.test.ts holds limits for some of it.

  npm run figures -- [--list]

  --list  names what is counted
  --help, --version`;

const BUNDLE_TYPE = /^(?:export )?(?:interface|type) (\w+(?:Parts|Options|Settings))\b/gm;

interface Figure {
  what: string;
  names: string[];
}

const isProduct = ({ path }: Source): boolean => !path.startsWith('test/');

const ofPut = (way: string, passed: Passed): Figure[] => [
  { what: `files of the server that one put ${way} passes`, names: [...passed.keys()] },
  {
    what: 'functions in these files that it passes',
    names: [...passed].flatMap(([file, names]) => names.map((name) => `${file} ${name}`)),
  },
];

const exportName = ({ path, name }: Export): string => `${path} ${name}`;

async function measure(): Promise<Figure[]> {
  const sources = readSources();
  const product = sources.filter(isProduct);
  const bundles = product.flatMap(({ path, text }) =>
    [...text.matchAll(BUNDLE_TYPE)].map(([, name]) => `${path} ${name}`),
  );
  const unusedInTests = new Set(deadExports(sources).map(exportName));
  const unused = deadExports(product).map(exportName);
  const { rest, inband } = await measurePuts();
  return [
    ...ofPut('by REST', rest),
    ...ofPut('in-band', inband),
    { what: 'circles of imports', names: circles(sources).map((files) => files.join(' ↔ ')) },
    { what: 'imports that lead upwards, such as from storage/ to rest/', names: upwardArrows(product) },
    { what: 'settings of the server', names: Object.values(SETTINGS).map(({ variable }) => variable) },
    { what: 'types named …Parts, …Options or …Settings', names: bundles },
    { what: 'exports that no other file of the product imports', names: unused },
    { what: 'the same, and no test either', names: unused.filter((name) => unusedInTests.has(name)) },
  ];
}

async function run(): Promise<void> {
  const options = { list: { type: 'boolean' }, ...ABOUT_OPTIONS } as const;
  const { values } = understood(() => parseArgs({ options }), options, closestMatch);
  const about = aboutText(values, HELP);
  if (about !== undefined) return console.log(about);
  for (const { what, names } of await measure()) {
    console.log(`${String(names.length).padStart(5)}  ${what}`);
    if (values.list) for (const name of names.sort()) console.log(`         ${name}`);
  }
}

run().catch((error: Error) => {
  console.error(failureText('figures', error));
  process.exitCode = exitStatus(error);
});
