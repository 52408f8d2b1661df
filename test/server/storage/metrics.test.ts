import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readSettings } from '../../../server/config.js';
import { openStorage } from '../../../server/storage/journaled.js';
import { storageMetrics } from '../../../server/storage/metrics.js';
import { putDocument, readDocuments } from '../../../server/storage/storage.js';
import { DirectoryUnderTest } from './directory-under-test.js';

const test = suite('metrics of the storage');
const directory = new DirectoryUnderTest();
test.after.each(() => directory.remove());

test('changes are counted, and the syncs that they share', async () => {
  const data = await directory.make();
  const storage = await openStorage({ ...readSettings(), data }, pino({ level: 'silent' }), () => false);
  const metrics = storageMetrics(storage);
  const numberOf = (name: string) => metrics.find((metric) => metric.name === name)?.read();
  assert.equal([numberOf('twin_journal_syncs_total'), numberOf('twin_journal_changes_total')], [0, 0]);
  await readDocuments(storage, 'twins/00/a');
  const write = () => putDocument(storage, 'twins/00/a', 'd', '{}');
  await Promise.all([1, 2, 3, 4].map(write));
  assert.equal([numberOf('twin_journal_syncs_total'), numberOf('twin_journal_changes_total')], [1, 4]);
  await write();
  assert.equal([numberOf('twin_journal_syncs_total'), numberOf('twin_journal_changes_total')], [2, 5]);
  assert.ok(Number(numberOf('twin_journal_bytes')) > 0);
  assert.is(numberOf('twin_storage_healthy'), 1);
  await storage.close();
  assert.is(numberOf('twin_storage_healthy'), 0);
});

test.run();
