import { DEFAULT_MODE } from '../../shared/current-document.js';
import { isObject, type Json, type JsonObject } from '../../shared/document.js';
import { CURRENT, DESIRED } from '../../shared/panel.js';
import type { Outcome } from '../../shared/rest.js';
import { memo } from '../memo.js';
import type { Document } from '../twins/document.js';
import { InvalidRequest } from '../twins/errors.js';
import type { Answer, Twins } from '../twins/twins.js';
import { WORK } from '../work.js';
import type { Call } from './call.js';
import type { OpenAnswers } from './open-answers.js';
import { intQuery } from './params.js';

/** One write of `desired` that is answered when the panel has followed. */
interface WaitRequest {
  readonly twinId: string;
  /** The keys and values of the write. */
  readonly data: JsonObject;
  readonly seconds: number;
  readonly answer: (document: Document, outcome: Outcome) => void;
}

const NOT_APPLIED: Outcome = { applied: false };

/**
 * The `?wait=<seconds>` of a write to a document.
 * @throws InvalidRequest when it is not a number of seconds, too many, or for a document that no panel follows
 */
export function waitOf(call: Call, name: string, longest: number): number {
  if (name !== DESIRED) throw new InvalidRequest('wait', 'constraint', `only a write of ${DESIRED} can wait`);
  return intQuery(call, 'wait', 0, 0, longest);
}

/**
 * Answers a write when `current` says its outcome (`outcomeOf`). Answers that it is not applied when the time is over, the
 * device is deleted, the token loses its right, the client closes its sending side or the server stops. The write is durable
 * in every case.
 * @throws InvalidRequest for too many keys and HttpError for too many waits, before anything is written
 */
export function answerWhenApplied(
  call: Call,
  request: WaitRequest,
  twins: Twins,
  { waits, mostKeys }: { readonly waits: OpenAnswers; readonly mostKeys: number },
): Answer<Document> {
  if (keysIn(request.data) > mostKeys) {
    const help = `a write of more than ${mostKeys} keys, with those in its objects and the elements of its lists, cannot wait`;
    throw new InvalidRequest('wait', 'constraint', help);
  }
  const wait = new Wait(call, request, twins, waits);
  return (error, document) => {
    if (document === undefined) call.fail(error);
    else wait.begin(document);
  };
}

class Wait {
  readonly #request: WaitRequest;
  readonly #twins: Twins;
  readonly #release: () => void;
  readonly #spend: (work: number) => void;
  /** What it costs to compare a report. */
  readonly #work: number;
  #document: Document | undefined;
  #unwatch: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(call: Call, request: WaitRequest, twins: Twins, waits: OpenAnswers) {
    this.#request = request;
    this.#twins = twins;
    this.#spend = call.spend;
    this.#work = keysIn(request.data) * WORK.comparedKey;
    this.#release = waits.hold(call.token, request.twinId, () => this.#end(NOT_APPLIED));
    call.onClose(() => this.#free());
    call.onClientEnd(() => this.#end(NOT_APPLIED));
  }

  /** The write is durable. */
  begin(document: Document): void {
    const { twinId, seconds } = this.#request;
    this.#document = document;
    if (this.#over) return this.#end(NOT_APPLIED);
    this.#unwatch = this.#twins.watch(twinId, (change) => {
      if (change.name === CURRENT) this.#look(document, change.document);
    });
    this.#twins.get(twinId, CURRENT, (_, current) => {
      this.#look(document, current);
      if (!this.#over) this.#timer = setTimeout(() => this.#end(NOT_APPLIED), seconds * 1000);
    });
  }

  #look(desired: Document, current: Document | undefined): void {
    if (this.#over || current === undefined) return;
    this.#spend(this.#work);
    // The version of a `desired` that was deleted may be higher than that of the present one.
    const mayHaveHandled = current.updatedAt >= desired.updatedAt;
    const outcome = outcomeOf(
      this.#request.data,
      reportIn(current),
      mayHaveHandled ? desired.version : Infinity,
    );
    if (outcome !== undefined) this.#end(outcome);
  }

  /** Before the write is durable nothing can be answered yet. */
  #end(outcome: Outcome): void {
    this.#over = true;
    if (this.#document === undefined) return;
    this.#free();
    this.#request.answer(this.#document, outcome);
  }

  #free(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#unwatch?.();
    this.#release();
  }
}

/** The keys of all objects in it, and the elements of all lists. */
function keysIn(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  const values = Object.values(value);
  return values.reduce<number>((keys, each) => keys + keysIn(each), values.length);
}

/** Keys of `desired` that a panel reports under the same name, even when it has not reported them yet. */
const REPORTED = ['alarm_armed', 'mode'];

/**
 * What the panel's report says of a write to `desired`, or undefined while it says nothing.
 *
 * A panel that has handled this version (`handled`) and says `refused` has not applied it. Otherwise the keys that the panel
 * reports decide: `alarm_armed`, `mode`, and each that the report has. It has applied the write when they agree, or when
 * it has handled a write of other keys only; its `state` tells an exit delay (`arming`) from `armed`. A panel that has handled the version, does not agree and says `fault` cannot
 * apply it.
 * @param version of `desired`
 */
export function outcomeOf(written: JsonObject, report: Json, version: number): Outcome | undefined {
  if (!isObject(report)) return undefined;
  const isHandled = typeof report.handled === 'number' && report.handled >= version;
  const refused = report.refused ?? undefined;
  const fault = report.fault ?? undefined;
  if (isHandled && refused !== undefined) return { ...NOT_APPLIED, refused };
  const keys = Object.keys(written).filter((key) => REPORTED.includes(key) || Object.hasOwn(report, key));
  const said = Object.fromEntries(keys.map((key) => [key, meantBy(key, written[key] as Json, report)]));
  const { state } = report;
  if ((keys.length > 0 || isHandled) && agrees(said, report))
    return state === undefined ? { applied: true } : { applied: true, state };
  return isHandled && fault !== undefined ? { ...NOT_APPLIED, fault } : undefined;
}

/** A write that removes the mode orders the default one, unless the panel has no modes. */
const meantBy = (key: string, value: Json, report: JsonObject): Json =>
  key === 'mode' && value === null && Object.hasOwn(report, key) ? DEFAULT_MODE : value;

/** What the panel reports. It is parsed once, however many requests wait for it. */
const reportIn = memo(({ data }: Document) => JSON.parse(data) as Json, new WeakMap());

/**
 * Whether the report has all that was written: of an object the keys that the write names, all else equal. A key that the
 * write sets to null agrees with none.
 */
export function agrees(written: Json, reported: Json | undefined): boolean {
  if (written === null) return reported === null || reported === undefined;
  if (Array.isArray(written)) {
    return (
      Array.isArray(reported) &&
      reported.length === written.length &&
      written.every((value, index) => agrees(value, reported[index]))
    );
  }
  if (!isObject(written)) return written === reported;
  return (
    isObject(reported) &&
    Object.entries(written).every(([key, value]) =>
      agrees(value, Object.hasOwn(reported, key) ? reported[key] : undefined),
    )
  );
}
