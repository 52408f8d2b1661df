/** One phone: the app in a browser window of its own, and what a person sees and does there. */

import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';

export interface Phone {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What went wrong in the page: exceptions, and what its policy forbade. */
  readonly faults: string[];
  /** Every address of which the page asked something. */
  readonly asked: string[];
  /** Resolves when the text is to be seen. */
  sees(text: string | RegExp): Promise<void>;
  /** Resolves when the panel's state is this word. */
  seesState(word: 'Armed' | 'Disarmed' | 'Alarm' | 'Not heard of yet'): Promise<void>;
  seesDoor(word: 'open' | 'closed'): Promise<void>;
  /** Resolves when the text is to be seen no more. */
  seesNo(text: string | RegExp): Promise<void>;
  /** Touches a button, or holds it as long as it wants to be held; of two of one name that which stands over the other. */
  touch(name: string): Promise<void>;
  close(): Promise<void>;
}

/** What has not come by then does not come. */
const PATIENCE_MS = 15_000;
const POLICY = /Content Security Policy/i;

/** @param token of the pairing link; empty: none */
export async function openPhone(
  browser: Browser,
  url: string,
  token: string,
  options: BrowserContextOptions,
): Promise<Phone> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  const asked: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (POLICY.test(message.text())) faults.push(message.text());
  });
  context.on('request', (request) => asked.push(request.url()));
  await page.goto(token === '' ? url : `${url}/#token=${token}`);
  const text = (what: string | RegExp): Locator => page.getByText(what).first();
  return {
    page,
    context,
    faults,
    asked,
    sees: (what) => text(what).waitFor(),
    // A panel that reports a mode is armed in it.
    seesState: (word) => page.locator('.word', { hasText: new RegExp(`^${word}(: Away)?$`) }).waitFor(),
    seesDoor: (word) => page.locator('.facts', { hasText: `Door ${word}` }).waitFor(),
    seesNo: (what) => text(what).waitFor({ state: 'hidden' }),
    async touch(name) {
      const button = page.getByRole('button', { name, exact: true }).last();
      if ((await button.getAttribute('data-hold')) === null) return button.tap();
      await hold(button);
    },
    close: () => context.close(),
  };
}

/** Holds a button until it has taken that for a press, and lets it go. */
async function hold(button: Locator): Promise<void> {
  const page = button.page();
  const held = page.locator('.is-held');
  await button.and(page.locator('[aria-disabled="false"]')).waitFor();
  await button.hover();
  const begun = held.waitFor({ state: 'attached' });
  await page.mouse.down();
  await begun;
  await held.waitFor({ state: 'detached' });
  await page.mouse.up();
}

/** Puts other code in the place of the app's script on its way. @param hasPolicy whether its policy arrives */
export async function changeScript(
  page: Page,
  address: string,
  code: string,
  hasPolicy: boolean,
): Promise<void> {
  await page.route(address, async (route) => {
    const response = await route.fetch();
    const { 'content-security-policy': policy = '', ...headers } = response.headers();
    const body = (await response.text()).replace(
      /(<script type="module">).*?(?=<\/script>)/s,
      (_, tag: string) => tag + code,
    );
    const kept = hasPolicy ? { 'content-security-policy': policy } : {};
    await route.fulfill({ response, body, headers: { ...headers, ...kept } });
  });
}
