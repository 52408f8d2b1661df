/** The language that a person has chosen. The phone keeps it in a cookie, so that the server sends the page in it. */

import { COOKIE, type Language } from '../words/languages.js';
import { Failed } from './api.js';

/** A browser keeps a cookie for at most 400 days, some for only seven. */
const A_YEAR_SECONDS = 365 * 24 * 60 * 60;

/** Loads the app in another language. @throws Failed when the server does not send it; then the language stays */
export async function loadIn(language: Language): Promise<void> {
  const before = chosenLanguage();
  choose(language);
  const page = await fetch('/', { cache: 'reload' }).catch(() => undefined);
  if (page?.ok !== true) {
    choose(before);
    throw new Failed('server-away');
  }
  // A page that came without TLS from another machine has no copies.
  const names = 'caches' in window ? await caches.keys() : [];
  for (const name of names) await (await caches.open(name)).put('/', page.clone());
  location.reload();
}

const chosenLanguage = (): string | undefined =>
  new RegExp(`(?:^|; )${COOKIE}=(\\w+)`).exec(document.cookie)?.[1];

/** Keeps the choice for another year. */
export const keepLanguage = (): void => choose(chosenLanguage());

/** @param language undefined: the browser decides */
function choose(language: string | undefined): void {
  const age = language === undefined ? 0 : A_YEAR_SECONDS;
  // biome-ignore lint/suspicious/noDocumentCookie: not every browser has the Cookie Store API.
  document.cookie = `${COOKIE}=${language ?? ''}; Path=/; Max-Age=${age}; SameSite=Strict`;
}
