import type { IncomingMessage } from 'node:http';
import Negotiator from 'negotiator';
import { COOKIE, isLanguage, LANGUAGES, type Language } from './page/words/languages.js';

const CHOICE = new RegExp(`(?:^|;\\s*)${COOKIE}=(\\w+)`);

/** The language of a request: the one that a person has chosen in the app, else the best of those that the browser names. */
export function languageOf(req: IncomingMessage): Language {
  const chosen = CHOICE.exec(req.headers.cookie ?? '')?.[1];
  const found = chosen ?? new Negotiator(req).language(Object.keys(LANGUAGES));
  return isLanguage(found) ? found : 'en';
}
