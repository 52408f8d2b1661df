import type { en } from './en.js';

/** The languages of the app, by the names that they give themselves. The first one is for a phone that speaks none of them. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', fr: 'Français', es: 'Español' } as const;

export type Language = keyof typeof LANGUAGES;

export const isLanguage = (text: string | undefined): text is Language =>
  text !== undefined && Object.hasOwn(LANGUAGES, text);

/** The cookie with the language that a person has chosen. The server reads it, so that the page comes in that language. */
export const COOKIE = 'language';

/** The name of a text. */
export type Key = keyof typeof en;

/** The texts of a language. Each takes the same parameters as the English one. */
export type Catalogue = Readonly<Record<Key, string>>;
