import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { keep, recall } from '../../../../../server/app/page/client/kept.js';
import type { TextStorage } from '../../../../../server/app/page/client/kept-token.js';
import { PAST_MS } from '../../../../../server/app/page/state/app.js';
import { after, connected, current, following, HOUR, ID, only, run, T, TOKEN } from '../state/world.js';

/** What the browser keeps, in memory. */
class MemoryStorage implements TextStorage {
  readonly items = new Map<string, string>();
  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, text: string): void {
    this.items.set(key, text);
  }
  removeItem(key: string): void {
    this.items.delete(key);
  }
}

/** A browser that keeps nothing for this page. */
class ForbiddenStorage extends MemoryStorage {
  override getItem(): string | null {
    throw new Error('SecurityError');
  }
  override setItem(): void {
    throw new Error('QuotaExceededError');
  }
}

const test = suite<{ storage: MemoryStorage }>('what stays on the phone');

test.before.each((context) => {
  context.storage = new MemoryStorage();
});

const known = following(
  connected,
  { type: 'recognised', role: 'app', hasPin: false },
  { type: 'document', id: ID, document: current({ armed: true }), now: T },
  { type: 'past', id: ID, runs: [run(-2, -1), run(0, 1, { armed: true })], orders: [] },
);

test('is what was known, but for a wish that has no answer', ({ storage }) => {
  keep(storage, after(known, { type: 'asked', id: ID, order: { armed: false }, now: T }));
  const kept = recall(storage, T);
  assert.equal([kept?.token, kept?.role], [TOKEN, 'app']);
  assert.equal(kept?.panels, [only(known)]);
  assert.equal(kept?.past, known.past);
});

test('of the past no more than a week', ({ storage }) => {
  keep(storage, known);
  assert.equal(recall(storage, T + PAST_MS)?.past, { [ID]: [run(0, 1, { armed: true })] });
  assert.equal(recall(storage, T + PAST_MS + HOUR)?.past, { [ID]: [] });
});

test('is nothing when the pairing ends', ({ storage }) => {
  keep(storage, known);
  keep(storage, after(known, { type: 'unpaired' }));
  assert.is(storage.items.size, 0);
  assert.is(recall(storage, T), undefined);
});

test('is not read where it is not whole', ({ storage }) => {
  keep(storage, known);
  for (const [key, value] of [...storage.items]) {
    for (const damaged of ['', '{', 'null', '[]', '{"token":1}', value.replace('"past"', '"passed"')]) {
      storage.setItem(key, damaged);
      assert.is(recall(storage, T), undefined, damaged.slice(0, 20));
    }
  }
});

test('is nothing where the browser forbids it, and the app works all the same', () => {
  const storage = new ForbiddenStorage();
  keep(storage, known);
  assert.is(recall(storage, T), undefined);
});

test.run();
