import { join } from 'node:path';
import { readPrivate, writePrivate } from './private-file.js';

/** Where the certificate and the key of an authority are kept, as one text in PEM. */
export interface AuthorityKeeper {
  /** Names that place in an error. */
  readonly place: string;
  /** The text, or undefined when there is none. */
  read(): Promise<string | undefined>;
  /** Keeps a new one, unless another server was faster. Returns the one that is kept. */
  keep(made: string): Promise<string>;
}

/**
 * A file of a directory, which only its owner can read. Certificate and key are one file, so that a crash leaves both or
 * neither.
 */
export function fileKeeper(directory: string): AuthorityKeeper {
  const place = join(directory, 'authority.pem');
  return {
    place,
    read: () => readPrivate(place),
    async keep(made) {
      await writePrivate(place, made);
      return made;
    },
  };
}
