/** How long it takes until a person sees it. Milliseconds; the page's clock and this process's are the machine's. */

import type { DesktopPanel } from '../../../firmware/desktop/index.js';
import type { Phone } from './phone.js';

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
export async function touchToArmed(phone: Phone, panel: DesktopPanel): Promise<number> {
  const touched: Promise<number> = phone.page.evaluate(
    `new Promise((resolve) => addEventListener('click', () => resolve(performance.timeOrigin + performance.now()), { once: true, capture: true }))`,
  );
  const shown = whenShown(phone, '.mood-armed');
  await phone.touch('Arm');
  await panel.until(({ armed }) => armed);
  return (await shown) - (await touched);
}

/** From the edge at the armed panel's door to the page that rings; the debounce is in it. */
export async function doorEdgeToPage(phone: Phone, panel: DesktopPanel): Promise<number> {
  const shown = whenShown(phone, '.alarm[open]');
  // The page has begun to look when it answers.
  await phone.page.evaluate('0');
  const edge = now();
  panel.openDoor();
  return (await shown) - edge;
}
