/**
 * Whether what clients saw of documents can have happened on one server that never fails.
 *
 * Each acknowledgement carries a version, which says where its write stands. So the order need not be searched for, as
 * for other stores: it is there, and is compared with the clock.
 */

/** Times are in milliseconds, of one clock. */
interface Timed {
  readonly document: string;
  readonly began: number;
  readonly ended: number;
}

/** A write of a mark that no other write has. Without a version its outcome is unknown: it may have happened. */
export interface Write extends Timed {
  readonly kind: 'write';
  readonly version: number | undefined;
  readonly mark: string;
}

/** What a client read. Version 0 without a mark: there was no document. */
export interface Read extends Timed {
  readonly kind: 'read';
  readonly version: number;
  readonly mark: string | undefined;
}

export type Operation = Write | Read;

/** A version that was found at the end, in the history of its document. */
export interface Kept {
  readonly document: string;
  readonly version: number;
  readonly mark: string;
}

type Placed = Operation & { readonly version: number };

/** Each contradiction as a sentence. None: the history is linearizable, and `kept` holds all that was acknowledged. */
export function contradictions(operations: readonly Operation[], kept: readonly Kept[]): string[] {
  const names = new Set([...operations, ...kept].map(({ document }) => document));
  return [...names].flatMap((name) => {
    const own = operations.filter(({ document }) => document === name);
    const found = kept.filter(({ document }) => document === name);
    return [
      ...acknowledgedTwice(own),
      ...withTwoMarks(own, found),
      ...writtenTwice(own, found),
      ...neverWritten(own, found),
      ...lost(own, found),
      ...outOfOrder(own),
    ].map((sentence) => `${name}: ${sentence}`);
  });
}

const isWrite = (operation: Operation): operation is Write => operation.kind === 'write';
const isPlaced = (operation: Operation): operation is Placed => operation.version !== undefined;

function acknowledgedTwice(operations: Operation[]): string[] {
  const versions = operations.filter(isWrite).flatMap(({ version }) => version ?? []);
  return repeated(versions).map((version) => `version ${version} was acknowledged to two writers`);
}

/** All that says which mark a version has. */
const placesOf = (operations: Operation[], kept: Kept[]): { version: number; mark: string | undefined }[] => [
  ...operations.filter(isPlaced),
  ...kept,
];

function withTwoMarks(operations: Operation[], kept: Kept[]): string[] {
  const pairs = placesOf(operations, kept).map(({ version, mark }) => JSON.stringify([version, mark]));
  const versions = [...new Set(pairs)].map((pair) => (JSON.parse(pair) as [number])[0]);
  return repeated(versions).map((version) => `version ${version} is two different writes`);
}

function writtenTwice(operations: Operation[], kept: Kept[]): string[] {
  const pairs = placesOf(operations, kept).flatMap(({ version, mark }) =>
    mark === undefined ? [] : JSON.stringify([mark, version]),
  );
  const marks = [...new Set(pairs)].map((pair) => (JSON.parse(pair) as [string])[0]);
  return repeated(marks).map((mark) => `write ${mark} happened twice`);
}

/** What was read must have been tried before. */
function neverWritten(operations: Operation[], kept: Kept[]): string[] {
  const began = new Map(operations.filter(isWrite).map((write) => [write.mark, write.began]));
  const isEarly = ({ mark, ended }: { mark: string | undefined; ended: number }): boolean =>
    mark !== undefined && (began.get(mark) ?? Number.POSITIVE_INFINITY) > ended;
  const seen = [
    ...operations.filter((operation) => !isWrite(operation)),
    ...kept.map((each) => ({ ...each, ended: Number.MAX_VALUE })),
  ];
  return seen.filter(isEarly).map(({ mark }) => `write ${mark} was seen before a client wrote it`);
}

function lost(operations: Operation[], kept: Kept[]): string[] {
  const found = new Set(kept.map(({ version }) => version));
  return operations
    .filter(isWrite)
    .filter(({ version }) => version !== undefined && !found.has(version))
    .map(({ version, mark }) => `write ${mark} was acknowledged as version ${version} and is lost`);
}

/** What begins after something has ended stands behind it: a write at a later version, a read at no earlier one. */
function outOfOrder(operations: Operation[]): string[] {
  const placed = operations.filter(isPlaced);
  const byEnd = [...placed].sort((a, b) => a.ended - b.ended);
  const byBeginning = [...placed].sort((a, b) => a.began - b.began);
  const sentences: string[] = [];
  let newest = 0;
  let next = 0;
  for (const operation of byBeginning) {
    for (; (byEnd[next]?.ended ?? Number.POSITIVE_INFINITY) < operation.began; next += 1) {
      newest = Math.max(newest, byEnd[next]?.version ?? 0);
    }
    const { kind, version } = operation;
    if (version < newest)
      sentences.push(`a ${kind} gave version ${version} after version ${newest} was known`);
    if (kind === 'write' && version === newest)
      sentences.push(`a write gave version ${version}, which was known before`);
  }
  return sentences;
}

function repeated<T>(values: T[]): T[] {
  const seen = new Set<T>();
  return values.filter((value) => seen.has(value) || !seen.add(value));
}
