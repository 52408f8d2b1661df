/** Panels on the XS engine, each with its flash in a directory of the test's own, and what they trace. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../../firmware/desktop/bundle.js';
import {
  type DesktopPanel,
  type DesktopPanelOptions,
  startPanel,
} from '../../../firmware/desktop/desktop-panel.js';
import type { Bundle } from '../../../firmware/desktop/trace.js';
import { until } from '../../until.js';

/** No program listens there. */
const NOWHERE = 'mqtt://127.0.0.1:1';
/** Below this, a program of a test imports the firmware's own modules. */
const FIRMWARE = join(import.meta.dirname, '../../../firmware');

export class Workbench {
  readonly directory = mkdtempSync(join(tmpdir(), 'panel-'));
  readonly lines: string[] = [];
  readonly #panels: DesktopPanel[] = [];

  path(name: string): string {
    return join(this.directory, name);
  }

  /** A TypeScript program for XS; `firmware/` in its imports leads there. The modules are the SDK's, by specifier. */
  program(source: string, modules: Record<string, string> = {}): Promise<Bundle> {
    const paths = Object.entries(modules).map(([specifier, text], index) => [
      specifier,
      this.#write(`module-${index}.ts`, text),
    ]);
    return bundle(this.#write('program.ts', source), Object.fromEntries(paths));
  }

  #write(name: string, source: string): string {
    const path = this.path(name);
    writeFileSync(path, source.replaceAll("'firmware/", `'${FIRMWARE}/`));
    return path;
  }

  async panel(options: Partial<DesktopPanelOptions> = {}): Promise<DesktopPanel> {
    const panel = await startPanel({
      server: NOWHERE,
      device: 'panel',
      password: 'secret',
      flash: this.path('flash.json'),
      trace: (line) => this.lines.push(line),
      ...options,
      config: { backOffMin: 10, backOffMax: 50, ...options.config },
    });
    this.#panels.push(panel);
    return panel;
  }

  /** Runs a program until it traces `end`, and tells what it traced before. */
  async run(source: string, options: Partial<DesktopPanelOptions> = {}): Promise<string[]> {
    const panel = await this.panel({ ...options, program: await this.program(source) });
    await until(() => this.lines.includes('end'));
    panel.stop();
    return this.lines.slice(0, this.lines.indexOf('end'));
  }

  /** Resolves when so many lines have the text in them. */
  async traced(text: string, times = 1): Promise<void> {
    await until(() => this.lines.filter((line) => line.includes(text)).length >= times);
  }

  end(): void {
    for (const panel of this.#panels) panel.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
