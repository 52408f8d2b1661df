/** Less of what does harm. */

/** The smallest of what is found by taking a smaller one that still harms, for as long as there is one and time. */
export async function shrink<T>(
  input: T,
  smaller: (input: T) => Iterable<T>,
  harms: (input: T) => Promise<boolean>,
  mayGoOn: () => boolean,
): Promise<T> {
  let smallest = input;
  let candidates = smaller(smallest)[Symbol.iterator]();
  while (mayGoOn()) {
    const { value, done } = candidates.next();
    if (done === true) break;
    if (!(await harms(value))) continue;
    smallest = value;
    candidates = smaller(smallest)[Symbol.iterator]();
  }
  return smallest;
}

/** The list without its one half, without its other, then without smaller and smaller parts; never empty. */
export function* shorterLists<T>(list: readonly T[]): Iterable<T[]> {
  for (const part of parts(list.length)) {
    for (let at = 0; at < list.length && part < list.length; at += part) {
      yield [...list.slice(0, at), ...list.slice(at + part)];
    }
  }
}

/** The same of bytes, and in the end none. */
export function* shorterBytes(bytes: Buffer): Iterable<Buffer> {
  for (const part of parts(bytes.length)) {
    for (let at = 0; at < bytes.length; at += part) {
      yield Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + part)]);
    }
  }
}

/** The list with one of its items made smaller, in every way there is. */
export function* smallerItems<T>(list: readonly T[], smaller: (item: T) => Iterable<T>): Iterable<T[]> {
  for (const [index, item] of list.entries()) {
    for (const less of smaller(item)) yield list.map((other, at) => (at === index ? less : other));
  }
}

/** Half of a length, half of that and so on, down to 1. */
function* parts(length: number): Iterable<number> {
  for (let part = Math.ceil(length / 2); part > 1; part = Math.ceil(part / 2)) yield part;
  if (length > 0) yield 1;
}
