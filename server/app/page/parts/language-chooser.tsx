import type { JSX } from 'preact';
import type { SettingsWork } from '../client/settings-work.js';
import { language, say } from '../state/say.js';
import { isLanguage, LANGUAGES } from '../words/languages.js';

/** The language of the app on this phone. */
export const LanguageChooser = ({ work }: { work: SettingsWork | undefined }): JSX.Element => (
  <section>
    <h2>
      <label for="language">{say('language.title')}</label>
    </h2>
    <select
      id="language"
      value={language()}
      onChange={({ currentTarget: { value } }) => isLanguage(value) && work?.speak(value)}
    >
      {Object.entries(LANGUAGES).map(([tag, name]) => (
        <option key={tag} value={tag} lang={tag}>
          {name}
        </option>
      ))}
    </select>
  </section>
);
