/** Asks the server for the first screen while the app itself is still on its way. A small script of its own. */

import { apiBase, overviewPath, TOKEN_HEADER } from '../../../../shared/rest.js';
import { tokenInFragment } from '../state/fragment.js';
import { keptToken } from './kept-token.js';

export interface Early {
  readonly token: string;
  readonly answer: Promise<Response>;
}

const token = tokenInFragment(location.hash) ?? keptToken(localStorage);
if (token !== undefined) {
  const base = apiBase('', document.documentElement.dataset.region ?? '');
  const answer = fetch(base + overviewPath(1), { headers: { [TOKEN_HEADER]: token } });
  // The app says what is the matter when it takes the answer.
  answer.catch(() => undefined);
  Object.assign(globalThis, { early: { token, answer } satisfies Early });
}
