/** The work behind the settings: reads what they show, and does what a person presses there. */

import type { ServerFacts, Token } from '../state/settings.js';
import type { Language } from '../words/languages.js';
import { type Api, Failed } from './api.js';
import { endToken, renameDevice, serverFacts, tokensOf } from './settings-api.js';

interface Parts {
  readonly api: Api;
  /** The app's own token was ended. */
  readonly onEnded: () => void;
  readonly onRenamed: () => void;
  /** See `loadIn`. */
  readonly load: (language: Language) => Promise<void>;
  readonly fail: (error: unknown) => void;
}

/** What the server refuses, because without this token it could no longer be administered. */
const REFUSED = 'invalid_arguments';

export class SettingsWork {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Undefined where it could not be read. */
  server(): Promise<ServerFacts | undefined> {
    return this.#done(() => serverFacts(this.#parts.api.ask));
  }

  /** The phone's own one first; undefined where they could not be read. */
  tokens(): Promise<readonly Token[] | undefined> {
    return this.#done(() => tokensOf(this.#parts.api.ask));
  }

  /** Ends a pairing. Resolves with what became of it. */
  async end(id: string, isOwn: boolean): Promise<'ended' | 'refused' | undefined> {
    const { api, onEnded } = this.#parts;
    return this.#done(async () => {
      try {
        await endToken(api.ask, isOwn ? 'self' : id);
      } catch (error) {
        if (error instanceof Failed && error.answer.type === REFUSED) return 'refused';
        throw error;
      }
      if (isOwn) onEnded();
      return 'ended';
    });
  }

  /** Resolves with whether the panel has the name now. */
  async rename(id: string, name: string): Promise<boolean> {
    const { api, onRenamed } = this.#parts;
    const done = await this.#done(async () => {
      await renameDevice(api.ask, id, name);
      onRenamed();
      return true;
    });
    return done === true;
  }

  /** The app is loaded in another language. */
  async speak(language: Language): Promise<void> {
    await this.#done(() => this.#parts.load(language));
  }

  async #done<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      this.#parts.fail(error);
      return undefined;
    }
  }
}
