/** The completions as each shell reads them. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { COMMANDS } from '../../../server/cli/commands.js';
import { completionFor } from '../../../server/cli/completion.js';
import { needs } from '../../programs.js';

const place = mkdtempSync(join(tmpdir(), 'twin-completion-'));
test.after(() => rmSync(place, { recursive: true }));

/** What a shell prints that has read its completion first, line by line. */
function run(shell: string, options: string[], commands: (file: string) => string): string[] {
  const file = join(place, shell);
  writeFileSync(file, `${completionFor(shell, COMMANDS)}\n`);
  const { stdout, stderr } = spawnSync(shell, [...options, '-c', commands(file)], { encoding: 'utf8' });
  assert.is(stderr, '');
  return stdout.split('\n').filter(Boolean);
}

/** Words without what stands for them in the shell's own form. */
type Complete = (...words: string[]) => string[];

const bash: Complete = (...words) =>
  run(
    'bash',
    ['--norc'],
    (file) =>
      `. ${file}; COMP_WORDS=(alarm-twin ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; ` +
      `_alarm_twin; printf '%s\\n' "\${COMPREPLY[@]}"`,
  );

/** Functions of zsh's own completion, which works in an interactive shell only, stand in for it. */
const zsh: Complete = (...words) =>
  run(
    'zsh',
    ['-f'],
    (file) =>
      `compdef() { : }; compadd() { shift; print -l -- $@ }; _files() { print DIRECTORY }; ` +
      `_describe() { print -l -- \${(P)2} }; . ${file}; words=(alarm-twin ${words.map((word) => `'${word}'`).join(' ')}); ` +
      `CURRENT=${words.length + 1}; _alarm_twin`,
  ).map((line) => line.split(':')[0] ?? '');

const fish: Complete = (...words) =>
  run('fish', ['--no-config'], (file) => `source ${file}; complete -C 'alarm-twin ${words.join(' ')}'`).map(
    (line) => line.split('\t')[0] ?? '',
  );

const SHELLS: Record<string, Complete> = { bash, zsh, fish };

const EVERY_FIRST_WORD = [...new Set([...COMMANDS.keys()].map((name) => name.split(' ')[0] ?? ''))];

/** What begins as the word that is being typed. zsh and fish leave that to themselves, bash does not. */
const beginning = (word: string, found: string[]): string[] => found.filter((each) => each.startsWith(word));

for (const [shell, complete] of Object.entries(SHELLS)) {
  const inShell = needs(shell);

  inShell(`${shell} completes every command, and the two programs`, () => {
    const found = complete('');
    for (const word of [...EVERY_FIRST_WORD, 'server', 'panel']) assert.ok(found.includes(word), word);
    assert.equal(beginning('dis', complete('dis')), ['disarm']);
  });

  inShell(`${shell} completes the second word of a command`, () => {
    const found = complete('device', '');
    for (const word of ['create', 'list', 'show', 'renew', 'delete']) assert.ok(found.includes(word), word);
    assert.equal(beginning('re', complete('token', 're')).sort(), ['remove-pin', 'revoke']);
    assert.equal(beginning('a', complete('alerts', 'a')), ['ack']);
  });

  inShell(`${shell} completes the options of a command, and no others`, () => {
    const found = beginning('--', complete('device', 'create', 'lamp', '--'));
    for (const word of ['--save', '--allow-insecure', '--json', '--url'])
      assert.ok(found.includes(word), word);
    for (const word of ['--mode', '--yes']) assert.not.ok(found.includes(word), word);
  });

  inShell(`${shell} completes the values of an option, and of a word`, () => {
    assert.equal(complete('arm', 'x', '--mode', '').sort(), ['away', 'home', 'night']);
    assert.equal(complete('pair', '--role', '').sort(), ['app', 'owner', 'reader']);
    for (const word of ['bash', 'zsh', 'fish']) assert.ok(complete('completion', '').includes(word), word);
  });

  inShell(`${shell} offers no words where a text of one's own follows`, () => {
    assert.equal(complete('pair', '--description', ''), []);
  });
}

test.run();
