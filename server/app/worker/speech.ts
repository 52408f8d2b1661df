import type { Speech } from '../page/state/say.js';
import { isLanguage } from '../page/words/languages.js';

const LANGUAGE = /<html lang="(\w+)"/;
const TEXTS = /<script type="application\/json" id="texts">(.*?)<\/script>/s;

/** The texts in the app's page. The page reads them with `pageSpeech`; a worker has no parser for HTML. */
export function speechIn(html: string): Speech {
  const language = LANGUAGE.exec(html)?.[1];
  const texts = TEXTS.exec(html)?.[1];
  if (!isLanguage(language) || texts === undefined) throw new Error('the page has no texts');
  return { language, texts: JSON.parse(texts) };
}
