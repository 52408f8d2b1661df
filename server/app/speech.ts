/** Makes the app's texts ready for the phone, so that it needs no parser for them. */

import compile from 'icu-minify/compile';
import { escaped } from './html.js';
import type { Speech } from './page/state/say.js';
import { de } from './page/words/de.js';
import { en } from './page/words/en.js';
import { es } from './page/words/es.js';
import { fr } from './page/words/fr.js';
import type { Catalogue, Language } from './page/words/languages.js';

export const CATALOGUES: Readonly<Record<Language, Catalogue>> = { en, de, fr, es };

export const LANGUAGES = Object.keys(CATALOGUES) as Language[];

export function speechOf(language: Language): Speech {
  const texts = Object.entries(CATALOGUES[language]).map(([key, text]) => [key, compile(text)]);
  return { language, texts: Object.fromEntries(texts) as Speech['texts'] };
}

/** The app's page in a language. In its HTML stands `{{the name of a text}}`, and `"{{texts}}"` for all of them. */
export function inLanguage(html: Buffer, language: Language): Buffer {
  const catalogue: Readonly<Record<string, string>> = CATALOGUES[language];
  const put = (mark: string, name: string): string => {
    const text = catalogue[name];
    return text === undefined ? mark : escaped(text);
  };
  // Within JSON, `<` can be written so. Then no text ends the element.
  const texts = JSON.stringify(speechOf(language).texts).replaceAll('<', '\\u003c');
  return Buffer.from(
    html
      .toString()
      .replace('<html lang="en"', `<html lang="${language}"`)
      .replace(/\{\{([\w.-]+)\}\}/g, put)
      .replace('"{{texts}}"', () => texts),
  );
}
