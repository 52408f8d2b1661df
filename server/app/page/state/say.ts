/** Says the app's texts in one language. A missing or a wrong parameter is an error of type. */

import type { GetICUArgs } from '@schummar/icu-type-parser';
import format, { type CompiledMessage } from 'icu-minify/format';
import { plainText } from '../../../../shared/plain-text.js';
import type { en } from '../words/en.js';
import type { Key, Language } from '../words/languages.js';

/** The texts of a language, as they are made ready when the app is built. */
export interface Speech {
  readonly language: Language;
  readonly texts: Readonly<Record<Key, CompiledMessage>>;
}

interface Arguments {
  ICUArgument: string | number;
  ICUNumberArgument: number;
}

/** What all the given texts want together. */
type Wanted<K extends Key> = ({
  [Each in K]: (values: GetICUArgs<(typeof en)[Each], Arguments>) => void;
}[K] extends (values: infer All) => void
  ? All
  : never) & {};

type Values<K extends Key> = keyof Wanted<K> extends never ? [] : [Wanted<K>];

let speech: Speech | undefined;
let places: readonly string[] = [];

/** Sets the language of all that is said from now on. @param locales of the phone, such as `de-AT` */
export function speak(next: Speech, locales: readonly string[] = []): void {
  speech = next;
  places = locales;
}

export const language = (): Language => speaking().language;

/** English without a region would have the hours of the United States. */
const REGIONS: Partial<Record<Language, string>> = { en: 'en-GB' };

/** The language as it is written where the phone is, if the phone speaks that language. */
export const region = (): string =>
  places.find((place) => place.startsWith(`${language()}-`)) ?? REGIONS[language()] ?? language();

/** Says a text. Names in its parameters cannot turn it around. */
export function say<K extends Key>(key: K, ...[values]: Values<K>): string {
  const { language: locale, texts } = speaking();
  const plain = Object.entries(values ?? {}).map(([name, value]) => [
    name,
    typeof value === 'string' ? plainText(value) : value,
  ]);
  return String(format(texts[key], locale, Object.fromEntries(plain), { formatters }));
}

function speaking(): Speech {
  if (speech === undefined) throw new Error('the app has no language yet');
  return speech;
}

const formatters = {
  getDateTimeFormat: (...of: ConstructorParameters<typeof Intl.DateTimeFormat>) =>
    new Intl.DateTimeFormat(...of),
  getNumberFormat: (...of: ConstructorParameters<typeof Intl.NumberFormat>) => new Intl.NumberFormat(...of),
  getPluralRules: (...of: ConstructorParameters<typeof Intl.PluralRules>) => new Intl.PluralRules(...of),
};

/** `the window, the side door and the cellar` in the order of the names. */
export const listed = (names: readonly string[]): string =>
  new Intl.ListFormat(language(), { type: 'conjunction' }).format(names);
