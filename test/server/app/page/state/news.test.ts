import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { newsOf } from '../../../../../server/app/page/state/news.js';
import { current, ID, T } from './world.js';

const news = (kind: string | undefined, data: unknown) => newsOf(ID, kind, JSON.stringify(data), T);

test('a document comes with its time', () => {
  const document = current({ open: true });
  assert.equal(news('document', document), { type: 'document', id: ID, document, now: T });
});

test('the beginning of a state names the documents that there are', () => {
  const documents = [{ document_name: 'current' }, { document_name: 'lamp' }];
  const names = ['current', 'lamp'];
  assert.equal(news('twin', { twin_id: ID, documents }), { type: 'twin', id: ID, names, now: T });
});

test('a deleted document is an event', () => {
  const data = { twin_id: ID, document_name: 'desired' };
  assert.equal(news('document_deleted', data), { type: 'document-deleted', id: ID, name: 'desired', now: T });
});

test('presence comes with its time, or without one for a panel that never connected', () => {
  const at = new Date(T).toISOString();
  const presence = (state: object) => news('presence', { device_id: ID, ...state });
  assert.equal(presence({ is_connected: true, at }), {
    type: 'presence',
    id: ID,
    presence: { isConnected: true, at: T },
    now: T,
  });
  assert.equal(presence({ is_connected: false, at: null }), {
    type: 'presence',
    id: ID,
    presence: { isConnected: false },
    now: T,
  });
});

test('what this app does not know says nothing to it', () => {
  assert.is(news('weather', { rain: true }), undefined);
  assert.is(news(undefined, {}), undefined);
  assert.is(news('document', { document_name: 'current' }), undefined);
  assert.is(news('document', [1]), undefined);
  assert.is(newsOf(ID, 'document', 'not JSON', T), undefined);
});

test.run();
