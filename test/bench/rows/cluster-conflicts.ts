import type { Bench } from '../bench.js';
import { countedBy, NEEDS, SHARING, startScene, startServers } from '../cluster/scene.js';
import { type Contender, takeTurns } from '../disturbance.js';
import type { Row } from '../row.js';
import { call, createDevices, documentPath, type Server } from '../server.js';

const UNIT = 'puts/s';
const SERVERS = 3;
const WRITERS = 24;
const DOCUMENT = 'shared';

interface Outcome {
  /** Of accepted puts, a second. */
  readonly rate: number;
  readonly accepted: number;
  /** Puts over a version that was not the present one. */
  readonly refused: number;
  /** Answers that say neither. Their puts may have been carried out. */
  readonly others: readonly string[];
  /** How often a server decided again, because another one was faster. */
  readonly again: number;
}

/** Writers that each put over the version that they know, all on one document, at three servers and at one. */
export const clusterConflicts: Row = {
  name: 'cluster-conflicts',
  needs: NEEDS,
  async run(bench) {
    const scene = await startScene(bench, 1);
    const servers = await startServers(scene, SERVERS);
    const [device] = await createDevices(servers[0] as Server, 1);
    const path = documentPath(device?.id ?? '', DOCUMENT);
    await call(servers[0] as Server, 'PUT', path, { data: {} });
    const faults: string[] = [];
    const contender = (name: string, some: readonly Server[]): Contender<Outcome> => ({
      measure: () => compete(bench, some, path, faults),
      said: (outcome) => `${name} ${shown(outcome)}`,
      results: [],
    });
    const apart = contender(`at ${SERVERS} servers`, servers);
    const together = contender('at one server', servers.slice(0, 1));
    const repeats = await takeTurns(bench, [apart, together]);
    return [
      {
        row: 'cluster-conflicts',
        what: `accepted puts of ${WRITERS} writers on one document at ${SERVERS} servers, each over the version it knows`,
        unit: UNIT,
        server: apart.results.map(({ rate }) => rate),
        peer: { name: 'the same writers at one server', figures: together.results.map(({ rate }) => rate) },
        faults,
        repeats,
        notes: [
          SHARING,
          ...[apart, together].map(({ said, results }) => said(sumOf(results))),
          'lost: 0, when no fault stands above; each accepted put has a version that no other one has',
        ],
      },
    ];
  },
};

function sumOf(outcomes: readonly Outcome[]): Outcome {
  const sum = (of: 'rate' | 'accepted' | 'refused' | 'again') =>
    outcomes.reduce((total, outcome) => total + outcome[of], 0);
  const others = outcomes.flatMap((outcome) => outcome.others);
  const counts = {
    rate: sum('rate'),
    accepted: sum('accepted'),
    refused: sum('refused'),
    again: sum('again'),
  };
  return { ...counts, others };
}

function shown({ accepted, refused, others, again }: Outcome): string {
  const share = (100 * refused) / (accepted + refused + others.length);
  const more = others.length === 0 ? '' : `, ${others.length} others, the first ${others[0]}`;
  return `${accepted} accepted, ${refused} refused (${share.toFixed(0)} %), ${again} decided again${more}`;
}

/** @param faults takes what is found wrong, also in a measurement that is made again */
async function compete(
  bench: Bench,
  servers: readonly Server[],
  path: string,
  faults: string[],
): Promise<Outcome> {
  const versions = new Set<number>();
  let accepted = 0;
  let refused = 0;
  const others: string[] = [];
  const first = await presentVersion(servers, path);
  const againBefore = await decidedAgain(servers);
  const began = performance.now();
  const end = began + 1000 * bench.options.seconds;

  async function write(writer: number): Promise<void> {
    const server = servers[writer % servers.length] as Server;
    for (let known = first; performance.now() < end; ) {
      const answer = await put(server, path, { version: known, data: { writer, over: known } });
      if (answer.accepted !== undefined) {
        known = answer.accepted;
        accepted += 1;
        versions.add(known);
      } else if (answer.present !== undefined) {
        known = answer.present;
        refused += 1;
      } else {
        others.push(answer.text);
      }
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  const seconds = (performance.now() - began) / 1000;

  const last = await presentVersion(servers, path);
  faults.push(...faultsOf({ first, last, accepted, versions: versions.size, doubtful: others.length }));
  const again = (await decidedAgain(servers)) - againBefore;
  return { rate: accepted / seconds, accepted, refused, others, again };
}

/**
 * What is wrong after writers have competed.
 * @param competition the versions before and after, the accepted puts, how many different versions they have, and how many
 *   puts had another answer
 */
export function faultsOf(competition: {
  first: number;
  last: number;
  accepted: number;
  versions: number;
  doubtful: number;
}): string[] {
  const { first, last, accepted, versions, doubtful } = competition;
  const made = last - first;
  return [
    ...(versions < accepted ? [`${accepted - versions} accepted puts have the version of another one`] : []),
    ...(made < accepted ? [`${accepted - made} accepted puts are lost`] : []),
    ...(made > accepted + doubtful ? [`${made - accepted} puts were made that were not accepted`] : []),
  ];
}

async function presentVersion([server]: readonly Server[], path: string): Promise<number> {
  return JSON.parse(await call(server as Server, 'GET', path)).version;
}

const decidedAgain = async (servers: readonly Server[]): Promise<number> =>
  (await Promise.all(servers.map(countedBy))).reduce((sum, { conflicts }) => sum + conflicts, 0);

interface Answer {
  /** The version that the put made. */
  readonly accepted?: number;
  /** The version over which the put should have been. */
  readonly present?: number;
  readonly text: string;
}

async function put({ http, token }: Server, path: string, body: unknown): Promise<Answer> {
  const { host, port } = http.address;
  const response = await fetch(`http://${host}:${port}${path}`, {
    method: 'PUT',
    headers: { 'X-Auth-Token': token },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const answer = JSON.parse(text);
  if (response.ok) return { accepted: answer.version, text };
  return { present: answer.actual_version, text: `${response.status} ${text}` };
}
