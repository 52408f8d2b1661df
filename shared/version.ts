/** What `--version` prints. The number has one place. */

import project from '../package.json' with { type: 'json' };

/** The program's version, as semver.org has it. */
export const VERSION: string = project.version;
