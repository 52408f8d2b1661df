import type { Speech } from '../state/say.js';
import { isLanguage } from '../words/languages.js';

/** The texts that came with the page, in the language that the server chose for it. */
export function pageSpeech(): Speech {
  const language = document.documentElement.lang;
  const texts = document.getElementById('texts')?.textContent;
  if (!isLanguage(language) || typeof texts !== 'string') throw new Error('the page has no texts');
  return { language, texts: JSON.parse(texts) };
}
