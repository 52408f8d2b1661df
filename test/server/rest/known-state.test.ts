import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PresenceState } from '../../../server/devices/presence.js';
import { KnownState, type TwinEvent } from '../../../server/rest/known-state.js';
import { Document } from '../../../server/twins/document.js';

const TWIN = '0f4f6a9e-6d2b-4c3e-9a77-1d2f3a4b5c6d';
const timeOf = (ms: number): string => new Date(Date.UTC(2026, 2, 1) + ms).toISOString();
const documentOf = (name: string, version: number, ms: number): Document =>
  new Document(TWIN, name, version, timeOf(ms), '{}', { createdAt: timeOf(0), tag: 'b' });
const NEVER: PresenceState = { isConnected: false, at: null };

/** What a reader makes of the events. */
class Reader {
  readonly documents = new Map<string, string>();
  presence = '';
  lastId = '';

  /** @param id what came with the event */
  hear(event: TwinEvent, id: string): void {
    this.lastId = id;
    if (event.event === 'twin') this.documents.clear();
    else if (event.event === 'document') this.documents.set(event.document.name, show(event.document));
    else if (event.event === 'document_deleted') this.documents.delete(event.name);
    else this.presence = JSON.stringify(event.state);
  }
}

const show = ({ version, updatedAt }: Document): string => `${version} ${updatedAt}`;

/** The events that a reader gets when it comes back with its last id, each with its id. */
function resume(lastId: string, documents: Document[], state: PresenceState): [TwinEvent, string][] {
  const resumed = KnownState.parse(lastId);
  const known = resumed ?? new KnownState();
  const missing = known.missing(documents, state);
  const events: TwinEvent[] = resumed === undefined ? [{ event: 'twin', documents }, ...missing] : missing;
  return events.map((event) => {
    known.take(event);
    return [event, known.id];
  });
}

const NAMES = ['current', 'desired', '_config', 'a.b~c-1', 'x'.repeat(64)];
const step = fc.record({
  do: fc.constantFrom('put' as const, 'put' as const, 'delete' as const, 'come' as const, 'go' as const),
  name: fc.constantFrom(...NAMES),
  /** Whether the reader is there to hear of it. */
  heard: fc.boolean(),
  /** How many events a reader that comes back gets before it is cut off again. */
  cut: fc.nat({ max: 8 }),
});

test('a reader that is cut off at any byte and comes back has the present state in the end', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const documents = new Map<string, Document>();
      let state = NEVER;
      const reader = new Reader();
      const comeBack = (most = Number.POSITIVE_INFINITY) => {
        const told = resume(reader.lastId, [...documents.values()], state).slice(0, most);
        for (const [event, id] of told) reader.hear(event, id);
      };
      for (const [at, now] of steps.entries()) {
        if (now.heard) comeBack();
        const known = KnownState.parse(reader.lastId);
        let event: TwinEvent;
        if (now.do === 'put') {
          const document = documentOf(now.name, (documents.get(now.name)?.version ?? 0) + 1, at);
          documents.set(now.name, document);
          event = { event: 'document', document };
        } else if (now.do === 'delete') {
          documents.delete(now.name);
          event = { event: 'document_deleted', name: now.name };
        } else {
          state = { isConnected: now.do === 'come', at: timeOf(at) };
          event = { event: 'presence', state };
        }
        if (now.heard && known !== undefined) {
          known.take(event);
          reader.hear(event, known.id);
        } else comeBack(now.cut);
      }
      comeBack();
      assert.equal(
        [...reader.documents].sort(),
        [...documents.values()].map((each) => [each.name, show(each)]).sort(),
      );
      assert.is(reader.presence, JSON.stringify(state));
      assert.equal(resume(reader.lastId, [...documents.values()], state), [], 'nothing comes twice');
    }),
    { numRuns: 500 },
  );
});

test('an id stands for what was taken, and for nothing else', () => {
  const known = new KnownState();
  const [one, other] = [documentOf('current', 42, 1), documentOf('desired', 3, 2)];
  const state = { isConnected: true, at: timeOf(3) };
  known.take({ event: 'document', document: one });
  known.take({ event: 'document', document: other });
  known.take({ event: 'presence', state });
  assert.match(known.id, /^\+[0-9a-z]+,current:16:[0-9a-z]+,desired:3:[0-9a-z]+$/);
  assert.equal(KnownState.parse(known.id)?.missing([one, other], state), []);
  const again = documentOf('current', 42, 4);
  assert.equal(KnownState.parse(known.id)?.missing([again], NEVER), [
    { event: 'document_deleted', name: 'desired' },
    { event: 'document', document: again },
    { event: 'presence', state: NEVER },
  ]);
});

test('an id of another form stands for nothing', () => {
  const wrong = [
    '',
    '7',
    'x,y',
    '+abc,',
    '+abc,current',
    '+abc,current:1',
    '+abc,current:1:2:3',
    '+abc,:1:2',
    '+abc,.hidden:1:2',
    '+abc,a b:1:2',
    '+abc,current:-1:2',
    '+ABC',
    '*',
    `+abc${Array.from({ length: 65 }, (_, n) => `,d${n}:1:1`).join('')}`,
  ];
  for (const id of wrong) assert.is(KnownState.parse(id), undefined, id);
  assert.ok(KnownState.parse('-'));
  assert.ok(KnownState.parse(',current:1:1'), 'cut off before the presence');
});

test('any text is an id or none, and an id is read as it was written', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'+-,:az09._~ é"') }), (text) => {
      const known = KnownState.parse(text);
      if (known !== undefined) assert.is(KnownState.parse(known.id)?.id, known.id);
    }),
    { numRuns: 5000 },
  );
});

test('an id that would be longer than the headers of a request may be is empty', () => {
  const known = new KnownState();
  const documents = Array.from({ length: 64 }, (_, n) => documentOf(`${n}`.padStart(64, 'x'), 1, n));
  for (const document of documents) known.take({ event: 'document', document });
  assert.is(known.id, '');
  for (const { name } of documents.slice(32)) known.take({ event: 'document_deleted', name });
  assert.ok(known.id.length > 32 * 64 && known.id.length <= 4096);
});

test.run();
