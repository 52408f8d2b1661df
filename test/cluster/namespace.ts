/**
 * A network namespace: for a program in it, this machine is another one, at the other end of two links. One is for its
 * clients, the other one for its database, and only the latter is cut.
 */

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Test } from 'uvu';
import { skipping } from '../programs.js';

/** A net for programs that are tested (RFC 2544), of which each link has four addresses. */
const NET = '198.18';
/** An address of no card: what is sent to it is lost on the way, without an answer. */
const NO_CARD = '02:00:00:00:00:ff';

interface Ends {
  /** The address of this machine at the link. */
  readonly here: string;
  /** The address of the namespace. */
  readonly there: string;
}

export interface Namespace {
  readonly clients: Ends;
  readonly database: Ends;
  /** Runs a program in the namespace as the user of this test: the command is put before that of the program. */
  readonly wrapper: string[];
  /** From now on nothing passes between the namespace and the database, in either direction. No connection ends. */
  cut(): void;
  heal(): void;
  remove(): void;
}

/** Namespaces need root. */
const AS_ROOT = process.getuid?.() === 0 ? [] : ['sudo', '-n', '--preserve-env'];

function run(command: string): void {
  const [file = '', ...args] = [...AS_ROOT, ...command.split(' ')];
  execFileSync(file, args, { stdio: 'pipe' });
}

export function makeNamespace(): Namespace {
  const random = randomBytes(2);
  const name = `twin-${random.toString('hex')}`;
  run(`ip netns add ${name}`);
  run(`ip -n ${name} link set lo up`);
  /** A link is a pair of cards. */
  const link = (index: 0 | 1): Ends & { readonly card: string } => {
    const card = `${name}-${index}`;
    const address = (last: number): string =>
      `${NET}.${random[0]}.${((random[1] ?? 0) & 0xf8) + index * 4 + last}`;
    const [here, there] = [address(1), address(2)];
    run(`ip link add ${card} type veth peer name ${card} netns ${name}`);
    run(`ip address add ${here}/30 dev ${card}`);
    run(`ip link set ${card} up`);
    run(`ip -n ${name} address add ${there}/30 dev ${card}`);
    run(`ip -n ${name} link set ${card} up`);
    return { here, there, card };
  };
  // The cards go with it. A test that is ended does not come to its end.
  const remove = () => {
    process.off('exit', remove);
    run(`ip netns delete ${name}`);
  };
  process.on('exit', remove);
  const makeLinks = () => {
    try {
      return { clients: link(0), database: link(1) };
    } catch (error) {
      remove();
      throw error;
    }
  };
  const { clients, database } = makeLinks();
  /** Each end sends to a card that is not there, or asks again which one it is. */
  const atBothEnds = (what: 'replace' | 'del', options: string): void => {
    run(`ip neighbour ${what} ${database.there} dev ${database.card}${options}`);
    run(`ip -n ${name} neighbour ${what} ${database.here} dev ${database.card}${options}`);
  };
  const user = [
    'setpriv',
    `--reuid=${process.getuid?.()}`,
    `--regid=${process.getgid?.()}`,
    '--clear-groups',
  ];
  return {
    clients,
    database,
    wrapper: [...AS_ROOT, 'ip', 'netns', 'exec', name, ...user],
    cut: () => atBothEnds('replace', ` lladdr ${NO_CARD} nud permanent`),
    heal: () => atBothEnds('del', ''),
    remove,
  };
}

/** Whether this user may make network namespaces, which not every container allows. */
export function canMakeNamespaces(): boolean {
  try {
    makeNamespace().remove();
    return true;
  } catch {
    return false;
  }
}

/** Adds a test where network namespaces can be made, and skips it where not. */
export const needsNetworkNamespaces = <T>(suite: Test<T>): ReturnType<typeof skipping<T>> =>
  canMakeNamespaces() ? suite : skipping('a user who may make network namespaces with ip netns', suite);
