import { createHash, randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  AuthenticationDenied,
  type Denial,
  LastOwnerToken,
  TokenNotFound,
  Tokens,
} from '../../../server/access/tokens.js';
import { type MemoryStorage, memoryStorage } from '../../../server/storage/memory.js';
import { putDocument, readDocuments, StorageUnavailable } from '../../../server/storage/storage.js';

interface Context {
  storage: MemoryStorage;
  tokens: Tokens;
  clock: { now: Date };
}

const test = suite<Context>('tokens');

test.before.each(async (context) => {
  const clock = { now: new Date('2026-03-01T10:00:00.000Z') };
  context.clock = clock;
  context.storage = memoryStorage(() => clock.now.getTime());
  context.tokens = await Tokens.open(context.storage);
});

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function denial(tokens: Tokens, secret: string | undefined): Denial | undefined {
  try {
    tokens.authenticate(secret);
    return undefined;
  } catch (error) {
    assert.instance(error, AuthenticationDenied);
    return (error as AuthenticationDenied).reason;
  }
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  assert.unreachable('it did not reject');
  throw new Error('unreachable');
}

test('a new token is a random UUID v4 that authenticates with its role', async ({ tokens }) => {
  const { token, secret } = await tokens.create({ role: 'app', description: 'phone' });
  assert.match(secret, UUID_V4);
  assert.is.not(token.id, secret);
  assert.equal(tokens.authenticate(secret), token);
  assert.is(token.role, 'app');
  assert.is(token.description, 'phone');
  assert.is(token.expires_at, null);
});

test('a token may be written in capitals', async ({ tokens }) => {
  const { token, secret } = await tokens.create({ role: 'owner' });
  assert.equal(tokens.authenticate(secret.toUpperCase()), token);
});

test('the secret is stored as SHA-256 only, and listed nowhere', async ({ tokens, storage }) => {
  const { token, secret } = await tokens.create({ role: 'owner' });
  const stored = (await readDocuments(storage, 'tokens')).get(token.id)?.data ?? '';
  assert.match(stored, /"sha256":"[0-9a-f]{64}"/);
  assert.not.ok(stored.includes(secret));
  assert.not.ok(JSON.stringify(tokens.list()).match(new RegExp(`sha256|${secret}`)));
});

test('a text that is not a UUID and an unknown token are different refusals', async ({ tokens }) => {
  await tokens.create({ role: 'owner' });
  for (const wrong of [undefined, '', 'x', `${randomUUID()}x`, '__proto__', 'a'.repeat(10_000)]) {
    assert.is(denial(tokens, wrong), 'invalid_argument', String(wrong));
  }
  assert.is(denial(tokens, randomUUID()), 'not_found');
});

test('a token expires at its time, also one that was in use', async ({ tokens, clock }) => {
  const { secret } = await tokens.create({ role: 'owner', expires_at: '2026-03-01T11:00:00.000Z' });
  assert.is(denial(tokens, secret), undefined);
  clock.now = new Date('2026-03-01T10:59:59.999Z');
  assert.is(denial(tokens, secret), undefined);
  clock.now = new Date('2026-03-01T11:00:00.000Z');
  assert.is(denial(tokens, secret), 'expired');
});

test('a revoked token is refused from that moment, also when it was in use', async ({ tokens }) => {
  const revoked = await tokens.create({ role: 'owner' });
  const other = await tokens.create({ role: 'owner' });
  assert.is(denial(tokens, revoked.secret), undefined);
  await tokens.revoke(revoked.token.id);
  assert.is(denial(tokens, revoked.secret), 'not_found');
  assert.is(denial(tokens, other.secret), undefined);
  const error = await rejection(tokens.revoke(revoked.token.id));
  assert.instance(error, TokenNotFound);
});

test('tokens outlive the process, and revocations too', async ({ tokens, storage }) => {
  const kept = await tokens.create({ role: 'reader' });
  const gone = await tokens.create({ role: 'app' });
  await tokens.revoke(gone.token.id);
  const again = await Tokens.open(storage);
  assert.equal(again.authenticate(kept.secret), kept.token);
  assert.is(denial(again, gone.secret), 'not_found');
});

test('a token given from outside is an owner, and is not stored', async ({ storage }) => {
  const given = randomUUID();
  const tokens = await Tokens.open(storage, given);
  assert.is(tokens.authenticate(given).role, 'owner');
  assert.is((await readDocuments(storage, 'tokens')).size, 0);
  assert.is(denial(await Tokens.open(storage), given), 'not_found');
});

test('a token given from outside has the same id at each start, which does not tell it', async ({
  storage,
}) => {
  const given = randomUUID();
  const idOf = async (secret: string) => (await Tokens.open(storage, secret)).authenticate(secret).id;
  const id = await idOf(given);
  assert.match(id, UUID_V4);
  assert.is(await idOf(given), id);
  assert.is.not(await idOf(randomUUID()), id);
  assert.not.ok(createHash('sha256').update(given).digest('hex').startsWith(id.slice(0, 8)));
});

test('a token is for the twins that it names, or for all, and stays so', async ({ tokens, storage }) => {
  const twins = [randomUUID(), randomUUID()];
  const some = await tokens.create({ role: 'app', twin_ids: twins });
  const all = await tokens.create({ role: 'app' });
  for (const each of [tokens, await Tokens.open(storage)]) {
    assert.equal(each.authenticate(some.secret).twin_ids, twins);
    assert.is(each.authenticate(all.secret).twin_ids, null);
  }
});

test('a token of the first version, which has no twin_ids, is for all twins', async ({ storage }) => {
  const secret = randomUUID();
  const sha256 = createHash('sha256').update(secret).digest('hex');
  const [created_at, id] = ['2025-03-01T10:00:00.000Z', randomUUID()];
  const record = { role: 'owner', description: 'old', created_at, expires_at: null, sha256 };
  await putDocument(storage, 'tokens', id, JSON.stringify(record));
  const tokens = await Tokens.open(storage);
  const { sha256: _, ...shown } = record;
  assert.equal(tokens.authenticate(secret), { id, ...shown, twin_ids: null });
  assert.instance(await rejection(tokens.revoke(id)), LastOwnerToken);
});

test('the last owner token cannot be revoked, and neither can the last two at once', async ({ tokens }) => {
  const first = await tokens.create({ role: 'owner' });
  assert.instance(await rejection(tokens.revoke(first.token.id)), LastOwnerToken);
  assert.is(denial(tokens, first.secret), undefined);
  const second = await tokens.create({ role: 'owner' });
  const both = await Promise.allSettled([tokens.revoke(first.token.id), tokens.revoke(second.token.id)]);
  assert.equal(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  assert.is(denial(tokens, second.secret), undefined);
});

test('the last stored owner token for all twins that does not expire cannot be revoked', async ({
  storage,
}) => {
  const tokens = await Tokens.open(storage, randomUUID());
  const { token } = await tokens.create({ role: 'owner' });
  await tokens.create({ role: 'owner', expires_at: '2999-03-01T10:00:00.000Z' });
  await tokens.create({ role: 'owner', twin_ids: [randomUUID()] });
  await tokens.create({ role: 'app' });
  assert.instance(await rejection(tokens.revoke(token.id)), LastOwnerToken);
  for (const other of tokens.list().filter(({ id }) => id !== token.id)) await tokens.revoke(other.id);
  assert.equal(tokens.list(), [token]);
});

test('a watcher hears of a revocation after the token is invalid, and of no revocation that failed', async ({
  tokens,
  storage,
}) => {
  const { token, secret } = await tokens.create({ role: 'app' });
  const other = await tokens.create({ role: 'app' });
  const told: [string, Denial | undefined][] = [];
  const unwatch = tokens.watch((id) => told.push([id, denial(tokens, secret)]));
  storage.failWith(new Error('disk full'));
  await rejection(tokens.revoke(token.id));
  assert.equal(told, []);
  storage.failWith(undefined);
  await tokens.revoke(token.id);
  assert.equal(told, [[token.id, 'not_found']]);
  unwatch();
  await tokens.revoke(other.token.id);
  assert.is(told.length, 1);
});

test('tokens are listed oldest first', async ({ tokens, clock }) => {
  const first = await tokens.create({ role: 'owner' });
  clock.now = new Date('2026-03-01T10:00:01.000Z');
  const second = await tokens.create({ role: 'app' });
  assert.equal(tokens.list(), [first.token, second.token]);
});

test('a token that could not be stored does not exist', async ({ tokens, storage }) => {
  storage.failWith(new Error('disk full'));
  assert.instance(await rejection(tokens.create({ role: 'owner' })), StorageUnavailable);
  assert.equal(tokens.list(), []);
});

test('a revocation that could not be stored is refused, and the token is still valid', async ({
  tokens,
  storage,
}) => {
  const { token, secret } = await tokens.create({ role: 'app' });
  storage.failWith(new Error('disk full'));
  assert.instance(await rejection(tokens.revoke(token.id)), StorageUnavailable);
  assert.is(denial(tokens, secret), undefined);
});

test('more secrets than are remembered are all authenticated', async ({ tokens }) => {
  const made = await Promise.all(Array.from({ length: 1100 }, () => tokens.create({ role: 'owner' })));
  for (const { secret, token } of [...made, ...made.slice(0, 3)]) {
    assert.is(tokens.authenticate(secret).id, token.id);
  }
});

test.run();
