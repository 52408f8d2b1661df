/** Another form of what is kept needs another key, so that the old form is not read. */
export const KEY = 'alarm-twin-1';

/** The part of the browser's storage that is used. */
export interface TextStorage {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
}

/** The token that this phone is paired with; undefined where it is not, or cannot be read. */
export function keptToken(storage: TextStorage): string | undefined {
  try {
    const { token } = JSON.parse(storage.getItem(KEY) ?? '{}') as { token?: unknown };
    return typeof token === 'string' ? token : undefined;
  } catch {
    return undefined;
  }
}
