/** The real server with a real panel on desktop XS, and phones: the app in Chromium. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core';
import type { ContactConfig } from '../../../firmware/config.js';
import { type DesktopPanel, startPanel } from '../../../firmware/desktop/desktop-panel.js';
import type { Limits } from '../../../server/server.js';
import { pathOf } from '../../programs.js';
import { type Credentials, createDevice, type Server, startServer } from '../server.js';
import { openPhone, type Phone } from './phone.js';

export interface Scene {
  /** The one that runs now. */
  readonly server: Server;
  readonly panel: DesktopPanel;
  readonly device: Credentials;
  /** The server's data directory. */
  readonly data: string;
  readonly browser: Browser;
  /** A phone that is paired by a link with this token; by default the owner's. */
  phone(options?: PhoneOptions): Promise<Phone>;
  /** A new token. */
  token(role: 'app' | 'owner' | 'reader'): Promise<{ id: string; secret: string }>;
  /** Cuts the panel's power and restores it, closes the door and disarms; resolves when the panel is online so. */
  settle(): Promise<void>;
  stopServer(): Promise<void>;
  /** On the same ports and data. @param env other settings than before */
  restartServer(env?: Record<string, string>): Promise<void>;
  /** Ends what was started. */
  close(): Promise<void>;
}

export interface PhoneOptions extends BrowserContextOptions {
  /** Empty: not paired. */
  token?: string;
}

/** A phone in Paris. */
export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  locale: 'en-GB',
  timezoneId: 'Europe/Paris',
  hasTouch: true,
  reducedMotion: 'reduce',
};

/** A sandbox of its own is more than root in a container may have. */
export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: pathOf('chromium') ?? '', args: ['--no-sandbox'] });

/**
 * @param name of the panel
 * @param contacts of the panel; a door by default
 * @param limits other than the server's own
 */
export async function startScene(
  name = 'Front door',
  contacts?: readonly ContactConfig[],
  limits?: Limits,
): Promise<Scene> {
  const data = mkdtempSync(join(tmpdir(), 'twin-app-'));
  const first = await startServer({ data, ...(limits && { limits }) });
  const ports = {
    TWIN_HTTP: new URL(first.http).host,
    TWIN_MQTT: new URL(first.mqtt).host,
    TWIN_HTTPS: new URL(first.https).host,
    TWIN_MQTTS: new URL(first.mqtts).host,
  };
  const device = await createDevice(first, name);
  const panel = await startPanel({
    server: first.mqtt,
    device: device.id,
    password: device.password,
    flash: join(data, 'flash.json'),
    config: { backOffMin: 50, backOffMax: 200, ...(contacts && { contacts }) },
  });
  const browser = await launchBrowser();
  let server = first;
  return {
    get server() {
      return server;
    },
    panel,
    device,
    data,
    browser,
    phone: ({ token = server.token, ...options } = {}) =>
      openPhone(browser, server.http, token, { ...PHONE, ...options }),
    async token(role) {
      const answer = await server.api('/tokens', { method: 'POST', body: JSON.stringify({ role }) });
      const { token, secret } = (await answer.json()) as { token: { id: string }; secret: string };
      return { id: token.id, secret };
    },
    async settle() {
      panel.powerOff();
      panel.networkOn();
      panel.closeDoor();
      panel.powerOn();
      const body = JSON.stringify({ data: { alarm_armed: false } });
      await server.api(`/twins/${device.id}/documents/desired`, { method: 'PUT', body });
      await panel.until(({ online, armed, doorOpen }) => online && !armed && !doorOpen);
    },
    async stopServer() {
      await server.stop();
    },
    async restartServer(env = {}) {
      await server.stop();
      server = await startServer({
        data,
        token: first.token,
        env: { ...ports, ...env },
        ...(limits && { limits }),
      });
    },
    async close() {
      panel.stop();
      await browser.close();
      await server.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
