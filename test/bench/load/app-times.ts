/** How long it takes until a person sees it. Milliseconds; the page's clock and this process's are the machine's. */

import type { Browser } from 'playwright-core';
import type { Phone } from '../../system/app/phone.js';

const now = (): number => performance.timeOrigin + performance.now();

/** Resolves in the page with the time at which a selector begins to match, as it is drawn. */
const whenShown = (phone: Phone, selector: string): Promise<number> =>
  phone.page.evaluate(`new Promise((resolve) => {
    const look = () => {
      if (document.querySelector(${JSON.stringify(selector)}) === null) return;
      observer.disconnect();
      requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()));
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { subtree: true, childList: true, attributes: true });
    look();
  })`);

/** From the touch of the toggle to the page that says that the panel is armed. */
export async function touchToArmed(phone: Phone): Promise<number> {
  const touched: Promise<number> = phone.page.evaluate(
    `new Promise((resolve) => addEventListener('click', () => resolve(performance.timeOrigin + performance.now()), { once: true, capture: true }))`,
  );
  const shown = whenShown(phone, '.mood-armed');
  await phone.touch('Arm');
  return (await shown) - (await touched);
}

/** From the edge at the armed panel's door to the page that rings; the debounce is in it. */
export async function doorEdgeToPage(phone: Phone, openDoor: () => void): Promise<number> {
  const shown = whenShown(phone, '.alarm[open]');
  // The page has begun to look when it answers.
  await phone.page.evaluate('0');
  const edge = now();
  openDoor();
  return (await shown) - edge;
}

const KILOBITS = 1000 / 8;

/** A slow phone network: what Lighthouse calls slow 4G, by which it judges. */
const SLOW_4G = {
  offline: false,
  latency: 150,
  downloadThroughput: 1600 * KILOBITS,
  uploadThroughput: 750 * KILOBITS,
};

/** From the opening of the pairing link in a browser that has nothing yet to the first paint, by slow 4G. */
export async function coldFirstPaint(browser: Browser, url: string, token: string): Promise<number> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', SLOW_4G);
    await page.goto(`${url}/#token=${token}`);
    return (await page.evaluate(`new Promise((resolve) => {
      new PerformanceObserver((list) => {
        for (const { name, startTime } of list.getEntries()) if (name === 'first-contentful-paint') resolve(startTime);
      }).observe({ type: 'paint', buffered: true });
    })`)) as number;
  } finally {
    await context.close();
  }
}
