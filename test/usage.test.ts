/** What every npm command says when it is asked for help, and when its command line is wrong. */

import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EXIT } from '../shared/usage.js';
import { VERSION } from '../shared/version.js';
import { startProgram } from './system/process.js';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

/** So that it does not break on a terminal. */
const LONGEST_LINE = 120;

/** Wrong command lines of each command; an option that does not exist is tried with all of them. */
const WRONG: Record<string, string[]> = {
  start: ['surplus'],
  test: [],
  server: ['surplus', '--http', '--data --log'],
  panel: ['', 'surplus', '--server http://a --device b --password c --flash d', '--siren-cut-off soon'],
  flash: ['', 'surplus', '--target esp32/nodemcu', '--target esp32/nodemcu --ssid a --open --door-pin x'],
  twin: [
    ...['no-command', 'arm', 'arm a b', 'get a --if-version', 'device', 'put a b {} --version 3'],
    ...['arm a --mode dawn', 'completion csh', 'put a b {} --role app'],
  ],
  bench: [
    ...['no-row', '--seconds 0', '--rounds many', '--repeats -1', '--repeats 1.5', '--json'],
    ...[
      '--compare no-file',
      '--compare package.json',
      '--from no-file',
      '--from no-file rest',
      '--node latest',
    ],
  ],
  fuzz: ['no-kind', '--count 1e3', '--seed', '--seconds -1'],
  figures: ['surplus'],
};

/** `npm run` names the script; npm's own words would stand around what the command says. */
function run(name: string, args: string[]): ReturnType<typeof startProgram> {
  const [, file = ''] = /exec node --import tsx (\S+)/.exec(scripts[name] ?? '') ?? [];
  return startProgram([process.execPath, '--import', 'tsx', file, ...args]);
}

test('every command of npm that takes arguments is tried here', () => {
  const taking = Object.keys(scripts).filter((name) => scripts[name]?.includes('exec node'));
  assert.equal(Object.keys(WRONG).sort(), taking.sort());
});

for (const [name, wrong] of Object.entries(WRONG)) {
  test(`npm run ${name} -- --help says how the command is used`, async () => {
    const { ended, lines } = run(name, ['--help']);
    assert.is((await ended).code, 0);
    assert.match(lines.join('\n'), new RegExp(`npm (run )?${name}\\b`));
    const long = lines.filter((line) => line.length > LONGEST_LINE);
    assert.equal(long, []);
  });

  test(`npm run ${name} -- --version prints the version`, async () => {
    const { ended, lines } = run(name, ['--version']);
    assert.is((await ended).code, 0);
    assert.equal(lines, [VERSION]);
  });

  test(`npm run ${name} -- --hepl asks whether --help was meant`, async () => {
    const { ended, lines } = run(name, ['--hepl']);
    assert.is((await ended).code, EXIT.usage);
    assert.match(lines[0] ?? '', "Unknown option '--hepl': did you mean --help?");
  });

  for (const line of ['--no-such-option', ...wrong]) {
    test(`npm run ${name} -- ${line} ends with one line that says where the help is`, async () => {
      const { ended, lines } = run(name, line.split(' ').filter(Boolean));
      assert.is((await ended).code, EXIT.usage);
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', new RegExp(`^[\\w-]+: .+ \\(see npm run ${name} -- --help\\)$`));
    });
  }
}

test.run();
