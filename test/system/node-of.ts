/** How long a server may take to answer, in milliseconds. */
const ANSWER_MS = 1000;

/** The id of a server among those that share a database, from its metrics. Undefined when it does not answer. */
export async function nodeOf(http: string, token: string): Promise<string | undefined> {
  const headers = { 'X-Auth-Token': token };
  const signal = AbortSignal.timeout(ANSWER_MS);
  const answer = await fetch(`${http}/metrics`, { headers, signal }).catch(() => undefined);
  return /^twin_node_info\{node="([^"]+)"\}/m.exec((await answer?.text()) ?? '')?.[1];
}
