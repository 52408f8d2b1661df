import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { SettingError } from '../../../server/config.js';
import { house } from './house.js';

const BROKER = 'mqtts://127.0.0.1:1';

test('an authority that cannot be read is one clear line that names the setting', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'twin-homeassistant-'));
  const path = join(directory, 'ca.pem');
  writeFileSync(path, 'no certificate');
  for (const ca of [path, join(directory, 'missing.pem')]) {
    const error = await house(BROKER, { env: { TWIN_HOMEASSISTANT_CA: ca } }).then(
      () => undefined,
      (thrown) => thrown,
    );
    assert.instance(error, SettingError);
    assert.match(error.message, `TWIN_HOMEASSISTANT_CA=${ca}: `);
  }
  rmSync(directory, { recursive: true });
});

test.run();
