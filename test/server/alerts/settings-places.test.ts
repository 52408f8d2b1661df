/** Where the settings of alerts are kept: in a file, or in a document that several servers follow. */

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type AlertSettings,
  KEPT_SECRET,
  NO_SETTINGS,
  parseSettings,
} from '../../../server/alerts/settings.js';
import { openSettingsDocument } from '../../../server/alerts/settings-document.js';
import { openSettingsFile } from '../../../server/alerts/settings-file.js';
import { until } from '../../until.js';
import { sharedMemory } from '../storage/shared-memory.js';

const test = suite<{ data: string }>('the place of the settings of alerts');

test.before.each((context) => {
  context.data = mkdtempSync(join(tmpdir(), 'twin-settings-'));
});
test.after.each(({ data }) => rmSync(data, { recursive: true }));

const withTopic =
  (topic: string, token = 'hidden') =>
  (before: AlertSettings) =>
    parseSettings({ channels: [{ id: 'n', type: 'ntfy', url: `https://ntfy.sh/${topic}`, token }] }, before);

const log = pino({ level: 'silent' });

test('the file has what was changed last, and only its owner reads it', async ({ data }) => {
  const place = await openSettingsFile(data);
  assert.equal(place.present, NO_SETTINGS);
  await Promise.all([place.change(withTopic('one')), place.change(withTopic('two', KEPT_SECRET))]);
  assert.equal((await openSettingsFile(data)).present, withTopic('two')(NO_SETTINGS));
  assert.is(statSync(join(data, 'alerts.json')).mode & 0o777, 0o600);
});

test('a change that is refused leaves the file as it was', async ({ data }) => {
  const place = await openSettingsFile(data);
  await place.change(withTopic('one'));
  const before = readFileSync(join(data, 'alerts.json'), 'utf8');
  assert.is(await place.change(withTopic('')).catch(({ name }) => name), 'InvalidRequest');
  assert.is(readFileSync(join(data, 'alerts.json'), 'utf8'), before);
  assert.equal(await place.change((settings) => settings), withTopic('one')(NO_SETTINGS));
});

test('a change of the document is heard by the other server, and keeps a secret that was set there', async () => {
  const shared = sharedMemory();
  const one = await openSettingsDocument(shared.join(), log);
  const other = await openSettingsDocument(shared.join(), log);
  assert.equal(one.present, NO_SETTINGS);
  let heard = 0;
  other.watch(() => {
    heard += 1;
  });
  await one.change(withTopic('one'));
  // The other server has not heard of it yet.
  const changed = await other.change(withTopic('two', KEPT_SECRET));
  assert.equal(changed, withTopic('two')(NO_SETTINGS));
  await until(() => heard === 1);
  await one.read();
  assert.equal([one.present, other.present], [changed, changed]);
});

test.run();
