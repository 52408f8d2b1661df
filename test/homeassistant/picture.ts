/** A picture of the dashboard for the README. */

import { chromium } from 'playwright-core';
import { pathOf } from '../programs.js';
import type { HomeAssistant } from './home-assistant.js';

const SIZE = { width: 900, height: 560 };

export async function takePicture({ url, token }: HomeAssistant, path: string): Promise<void> {
  const executablePath = pathOf('chromium');
  if (executablePath === undefined) throw new Error('the picture needs chromium');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage({ viewport: SIZE });
  const tokens = {
    hassUrl: url,
    clientId: `${url}/`,
    access_token: token,
    token_type: 'Bearer',
    expires_in: 1800,
  };
  const kept = {
    hassTokens: JSON.stringify({ ...tokens, refresh_token: '', expires: Date.now() + 1_800_000 }),
    dockedSidebar: '"always_hidden"',
  };
  await page.addInitScript(`Object.assign(localStorage, ${JSON.stringify(kept)})`);
  await page.goto(`${url}/lovelace/0`);
  await page.getByText('Arm away').waitFor();
  await page.getByText('Connection').waitFor();
  await page.screenshot({ path });
  await browser.close();
}
