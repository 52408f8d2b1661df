/** Home Assistant in a virtual environment of its own, beside the packages of npm. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** The last version for Python 3.11, and what it does not pin itself. */
const PACKAGES = [
  ...['homeassistant==2024.3.3', 'paho-mqtt==1.6.1', 'home-assistant-frontend==20240307.0'],
  // Its library for the cloud does not work with josepy 2.
  'josepy==1.15.0',
];
const PYTHON = 'python3.11';

/** The directory of its programs, or why it cannot be had. */
export type Installed = { readonly bin: string } | { readonly missing: string };

export function installHomeAssistant(): Installed {
  const directory =
    process.env.HOMEASSISTANT_VENV ?? join('node_modules', '.cache', 'homeassistant-2024.3.3');
  const bin = join(directory, 'bin');
  if (existsSync(join(bin, 'hass'))) return { bin };
  if (spawnSync(PYTHON, ['--version']).status !== 0) return { missing: PYTHON };
  console.log('Installing Home Assistant 2024.3.3; once, several minutes …');
  mkdirSync(directory, { recursive: true });
  const steps = [
    [PYTHON, '-m', 'venv', directory],
    [join(bin, 'pip'), 'install', '--quiet', ...PACKAGES],
  ];
  for (const [program = '', ...args] of steps) {
    const { status, stderr } = spawnSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    if (status === 0) continue;
    rmSync(directory, { recursive: true });
    return { missing: `what ${program} ${args[0]} needs: ${stderr.trim().split('\n').at(-1)}` };
  }
  return { bin };
}
