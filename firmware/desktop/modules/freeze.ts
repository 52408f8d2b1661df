/**
 * Freezes values, all that they lead to and all their prototypes, as the SDK's preload does with modules that are kept
 * in ROM. What a program changes at run time must then lie in closures, private fields and objects made at run time,
 * and no program can change what is built in.
 */

export function deepFreeze(value: unknown): void {
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (!isObject(next) || next === globalThis || seen.has(next)) continue;
    seen.add(next);
    // A buffer's elements cannot be frozen; there is none in a module.
    if (!ArrayBuffer.isView(next)) Object.freeze(next);
    waiting.push(Object.getPrototypeOf(next));
    for (const { value: inner, get, set } of Object.values(Object.getOwnPropertyDescriptors(next))) {
      waiting.push(inner, get, set);
    }
  }
}

/**
 * XS marks what it makes into JSON while it does, so that it cannot with what is kept in ROM (8.2.3). Frozen objects stand
 * for that here; nothing else of the firmware freezes anything.
 */
export function refuseFrozenJson(): void {
  const stringify = JSON.stringify;
  JSON.stringify = (value: unknown, replacer?: unknown, space?: unknown): string =>
    stringify(
      value,
      function (this: unknown, key: string, inner: unknown): unknown {
        if (isObject(inner) && typeof inner !== 'function' && Object.isFrozen(inner))
          throw new TypeError('read only value');
        return typeof replacer === 'function' ? replacer.call(this, key, inner) : inner;
      },
      space as number,
    );
}

/** What leads to everything that is built in. The global object itself stays open, as on a board. */
export const intrinsics = (): unknown[] => [
  ...Object.getOwnPropertyNames(globalThis).map((name) => Reflect.get(globalThis, name)),
  // These have no name in the global object.
  function* () {},
  async () => {},
  async function* () {},
  [][Symbol.iterator](),
  ''[Symbol.iterator](),
  new Map().entries(),
  new Set().values(),
  ''.matchAll(/./g),
];

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';
