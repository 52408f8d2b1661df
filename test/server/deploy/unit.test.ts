/** The unit of systemd, as systemd's own program judges it. */

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { needsIn } from '../../programs.js';

const UNIT = 'server/deploy/alarm-twin.service';
const BACK_OFF = 'server/deploy/back-off.conf';
/** In tenths, from 0 (closed) to 100 (open). */
const MOST_EXPOSED = 20;
/** The first that knows `RestartSteps`. */
const WITH_BACK_OFF = 254;

const tests = suite<{ directory: string }>('the unit');
const test = needsIn(tests, 'systemd-analyze');

tests.before((context) => {
  context.directory = mkdtempSync(join(tmpdir(), 'unit-'));
});
tests.after(({ directory }) => rmSync(directory, { recursive: true, force: true }));

/** What systemd says of a unit. */
function judge(command: string[], unit: string): { code: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', [...command, unit], { encoding: 'utf8' });
  return { code: status, text: stdout + stderr };
}

/** The same unit, changed, in a directory of its own. */
function changed(directory: string, change: (text: string) => string): string {
  const path = join(directory, 'alarm-twin.service');
  writeFileSync(path, change(readFileSync(UNIT, 'utf8')));
  return path;
}

test('has no fault, and systemd finds one', ({ directory }) => {
  assert.equal(judge(['verify', '--man=no'], UNIT), { code: 0, text: '' });
  const broken = changed(directory, (text) => text.replace('DynamicUser', 'DynamicsUser'));
  assert.match(judge(['verify', '--man=no'], broken).text, 'DynamicsUser');
});

test(`is exposed by at most ${MOST_EXPOSED / 10} of 10`, ({ directory }) => {
  const command = ['security', '--offline=true', `--threshold=${MOST_EXPOSED}`];
  const { code, text } = judge(command, UNIT);
  assert.is(code, 0, text);
  const open = changed(directory, (text) => text.replace(/^SystemCallFilter=.*$/gm, ''));
  assert.is.not(judge(command, open).code, 0);
});

test('waits longer after each failed start, where systemd can', ({ directory }) => {
  const version = Number(
    /\d+/.exec(execFileSync('systemd-analyze', ['--version'], { encoding: 'utf8' }))?.[0],
  );
  const unit = changed(directory, (text) => text);
  mkdirSync(`${unit}.d`);
  copyFileSync(BACK_OFF, join(`${unit}.d`, 'back-off.conf'));
  const { text } = judge(['verify', '--man=no'], unit);
  if (version >= WITH_BACK_OFF) assert.is(text, '');
  else assert.match(text, /RestartSteps/);
});

tests.run();
