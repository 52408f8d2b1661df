import { isObject, type Json, type JsonObject } from '../../shared/document.js';
import { CURRENT, DESIRED } from '../../shared/panel.js';
import type { Document } from '../twins/document.js';
import { InvalidRequest } from '../twins/errors.js';
import type { Answer, Twins } from '../twins/twins.js';
import type { Call } from './call.js';
import type { OpenAnswers } from './open-answers.js';
import { intQuery } from './params.js';

export interface WaitParts {
  readonly twins: Twins;
  readonly waits: OpenAnswers;
  readonly limits: { readonly waitSeconds: number };
}

/** One write of `desired` that is to be answered when the panel has followed. */
export interface WaitRequest {
  readonly twinId: string;
  /** What the write named. */
  readonly data: JsonObject;
  readonly seconds: number;
  /** Answers with the document, and whether the panel has applied it. */
  readonly answer: (document: Document, applied: boolean) => void;
}

/**
 * The `?wait=<seconds>` of a write to a document.
 * @throws InvalidRequest for no number of seconds, too many, and a document that no panel follows
 */
export function waitOf(call: Call, name: string, { limits }: WaitParts): number {
  if (name !== DESIRED) throw new InvalidRequest('wait', 'constraint', `only a write of ${DESIRED} can wait`);
  return intQuery(call, 'wait', 0, 0, limits.waitSeconds);
}

/**
 * Answers a write when `current` agrees with every key that it named (200, the document with `"applied":true`), or when
 * the time is over, the device deleted, the token's right gone or the server about to stop (202, `"applied":false`). The
 * write itself is durable in both cases. A key that the write sets to null, or a patch removes, is agreed upon when
 * `current` lacks it or has null; of an object what it names must agree; all else must be equal.
 * @throws HttpError for too many, before anything is written
 */
export function answerWhenApplied(call: Call, request: WaitRequest, parts: WaitParts): Answer<Document> {
  const wait = new Wait(call, request, parts);
  return (error, document) => {
    if (document === undefined) call.fail(error);
    else wait.begin(document);
  };
}

class Wait {
  readonly #request: WaitRequest;
  readonly #twins: Twins;
  readonly #release: () => void;
  #document: Document | undefined;
  #unwatch: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(call: Call, request: WaitRequest, { twins, waits }: WaitParts) {
    this.#request = request;
    this.#twins = twins;
    this.#release = waits.hold(call.token, request.twinId, () => this.#end(false));
    call.onClose(() => this.#free());
  }

  /** The write is durable. */
  begin(document: Document): void {
    const { twinId, seconds } = this.#request;
    this.#document = document;
    if (this.#over) return this.#end(false);
    this.#unwatch = this.#twins.watch(twinId, (change) => {
      if (change.name === CURRENT) this.#look(change.document);
    });
    this.#twins.get(twinId, CURRENT, (_, current) => {
      this.#look(current);
      if (!this.#over) this.#timer = setTimeout(() => this.#end(false), seconds * 1000);
    });
  }

  #look(current: Document | undefined): void {
    if (this.#over || current === undefined) return;
    if (agrees(this.#request.data, reportIn(current))) this.#end(true);
  }

  /** Before the write is durable nothing can be answered yet. */
  #end(applied: boolean): void {
    this.#over = true;
    if (this.#document === undefined) return;
    this.#free();
    this.#request.answer(this.#document, applied);
  }

  #free(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#unwatch?.();
    this.#release();
  }
}

const reports = new WeakMap<Document, Json>();

/** What the panel reports, read once however many wait for it. */
function reportIn(current: Document): Json {
  const known = reports.get(current);
  if (known !== undefined) return known;
  const report = JSON.parse(current.data) as Json;
  reports.set(current, report);
  return report;
}

/** Whether what the panel reports has all that was written. */
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
