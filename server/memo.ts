/** Values that are made when they are first asked for, and kept. */

/** Where values are kept: a map, a map that forgets, or a weak map. */
interface Kept<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): unknown;
}

/** Returns a function that makes one value for each key, as long as `kept` keeps it. A value is never undefined. */
export const memo =
  <Key, Value>(make: (key: Key) => Value, kept: Kept<Key, Value>): ((key: Key) => Value) =>
  (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const made = make(key);
    kept.set(key, made);
    return made;
  };

/** Returns a function that makes the value at its first call. After a failure the next call tries again. */
export function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make().catch((error) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
