/**
 * Freezes values, all that they lead to and all their prototypes, as the SDK's preload does with modules that are kept
 * in ROM. What a program changes at run time must then lie in closures, private fields and objects made at run time,
 * and no program can change what is built in.
 */

export function deepFreeze(value: unknown): void {
  const waiting: unknown[] = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (!isObject(next) || next === globalThis || Object.isFrozen(next)) continue;
    // A buffer's elements cannot be frozen; there is none in a module.
    if (!ArrayBuffer.isView(next)) Object.freeze(next);
    waiting.push(Object.getPrototypeOf(next) ?? undefined);
    for (const { value: inner, get, set } of Object.values(Object.getOwnPropertyDescriptors(next))) {
      for (const each of [inner, get, set]) if (isObject(each)) waiting.push(each);
    }
  }
}

/** Everything that is built in. The global object itself stays open, as on a board. */
export function freezeIntrinsics(): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    deepFreeze(Reflect.get(globalThis, name));
  }
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';
