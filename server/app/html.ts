const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '"': '&quot;' };

/** A text for a page, also within an attribute. */
export const escaped = (text: string): string =>
  text.replace(/[&<"]/g, (letter) => ENTITIES[letter] ?? letter);
