/** The in-band topics `$SCW/twins/<twin>/<document>/…`: builds them, reads them, and says which filters cover them. */

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

export const ACTIONS: readonly Action[] = ['get', 'put', 'patch', 'delete'];

/** `twin` is `me` or the device's id. `document` is not checked: it may be no valid name. */
interface RequestTopic {
  twin: string;
  document: string;
  action: Action;
}

/** What a device receives: the answer to a request, or a push when `outcome` is `changed` or `deleted`. */
type Reply =
  | { twin: string; document: string; action: Action; outcome: Outcome }
  | { twin: string; document: string; outcome: 'changed' | 'deleted' };

const isAction = (word: string | undefined): word is Action => (ACTIONS as readonly unknown[]).includes(word);

/** The request that a topic name stands for, or undefined when it is none. */
export function parseRequestTopic(topic: string): RequestTopic | undefined {
  const [root, twins, twin, document, action, ...more] = topic.split('/');
  if (`${root}/${twins}` !== ROOT || more.length > 0) return undefined;
  if (!twin || document === undefined || !isAction(action)) return undefined;
  return { twin, document, action };
}

/** What a received topic name tells a device, or undefined when it is neither an answer nor a push. */
export function parseReply(topic: string): Reply | undefined {
  const [root, twins, twin, document, action, response, outcome, ...more] = topic.split('/');
  if (`${root}/${twins}` !== ROOT || more.length > 0) return undefined;
  if (!twin || document === undefined) return undefined;
  if ((action === 'changed' || action === 'deleted') && response === undefined)
    return { twin, document, outcome: action };
  if (!isAction(action) || response !== 'response') return undefined;
  return outcome === 'success' || outcome === 'error' ? { twin, document, action, outcome } : undefined;
}

/** Whether a topic filter is well-formed: `#` only as the last level, `+` only as a whole level [MQTT-4.7.1]. */
export function isTopicFilter(filter: string): boolean {
  const levels = filter.split('/');
  return (
    filter !== '' &&
    levels.every(
      (level, index) =>
        level === '+' ||
        (level === '#' ? index === levels.length - 1 : !level.includes('+') && !level.includes('#')),
    )
  );
}

/**
 * Whether a well-formed topic filter covers a topic name; a wildcard first never covers `$…` [MQTT-4.7.2-1]. Looks no
 * further than the two agree: a client may have many long filters.
 */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) return false;
  let [wanted, given] = [0, 0];
  while (wanted <= filter.length) {
    if (filter[wanted] === '#') return true;
    if (given > topic.length) return false;
    const [wantedEnd, givenEnd] = [endOfLevel(filter, wanted), endOfLevel(topic, given)];
    const isAny = filter[wanted] === '+';
    if (!isAny && filter.slice(wanted, wantedEnd) !== topic.slice(given, givenEnd)) return false;
    wanted = wantedEnd + 1;
    given = givenEnd + 1;
  }
  return given > topic.length;
}

function endOfLevel(topic: string, from: number): number {
  const end = topic.indexOf('/', from);
  return end === -1 ? topic.length : end;
}
