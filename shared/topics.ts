/** Builds the in-band topics: requests `$SCW/twins/<twin>/<document>/<action>`, their answers and the pushes. */

export type Action = 'get' | 'put' | 'patch' | 'delete';
export type Outcome = 'success' | 'error';

export const ROOT = '$SCW/twins';
/** Every topic of the device's own twin. */
export const OWN_TOPICS = `${ROOT}/me/#`;

export const requestTopic = (document: string, action: Action, twin = 'me'): string =>
  `${ROOT}/${twin}/${document}/${action}`;

export const responseTopic = (document: string, action: Action, outcome: Outcome, twin = 'me'): string =>
  `${requestTopic(document, action, twin)}/response/${outcome}`;

export const changedTopic = (document: string, twin = 'me'): string => `${ROOT}/${twin}/${document}/changed`;

export const deletedTopic = (document: string, twin = 'me'): string => `${ROOT}/${twin}/${document}/deleted`;
