/** A part of `npm run build`: bundles the firmware for XS, into the folder of the package that is given. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleFirmware } from './bundle.js';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('no folder was given');
writeFileSync(join(folder, 'firmware.json'), JSON.stringify(await bundleFirmware()));
