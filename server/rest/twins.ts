import { DESIRED } from '../../shared/panel.js';
import type { Outcome } from '../../shared/rest.js';
import type { Pins } from '../access/pins.js';
import type { Token } from '../access/tokens.js';
import { DeviceNotFound, type Devices } from '../devices/devices.js';
import type { StoredDocument } from '../storage/storage.js';
import {
  bornOf,
  type Conditions,
  type Document,
  type Precondition,
  parsePut,
  parseRequest,
} from '../twins/document.js';
import { InvalidRequest, PreconditionFailed } from '../twins/errors.js';
import type { Answer, Twins } from '../twins/twins.js';
import type { Call } from './call.js';
import type { RestLimits } from './limits.js';
import type { OpenAnswers } from './open-answers.js';
import { withPin } from './pins.js';
import type { Router } from './router.js';
import { answerWhenApplied, waitOf } from './wait.js';

const DOCUMENT = '/twins/:twin_id/documents/:document_name';
const WRITE = { resource: 'twin_document', action: 'write' } as const;

export function routeTwins(
  router: Router,
  {
    twins,
    devices,
    pins,
    waits,
    limits,
  }: {
    readonly twins: Twins;
    readonly devices: Devices;
    readonly pins: Pins;
    /** Writes that wait for the panel. */
    readonly waits: OpenAnswers;
    /** Of a write that waits. */
    readonly limits: Pick<RestLimits, 'waitSeconds' | 'waitKeys'>;
  },
): void {
  router.onInTurn('GET', '/twins/:twin_id', { resource: 'twin', action: 'read' }, (call) =>
    onTwin(call, devices, (id) =>
      twins.list(
        id,
        answer(call, (names) => {
          call.send(200, JSON.stringify({ documents: names.map((document_name) => ({ document_name })) }));
        }),
      ),
    ),
  );

  router.onInTurn('DELETE', '/twins/:twin_id', { resource: 'twin', action: 'write' }, (call) =>
    onTwin(call, devices, (id) =>
      twins.clear(
        id,
        answer(call, () => call.sendNothing()),
        call,
      ),
    ),
  );

  router.onInTurn('GET', DOCUMENT, { resource: 'twin_document', action: 'read' }, (call) =>
    onTwin(call, devices, (id) => twins.get(id, call.param('document_name'), showUnlessKnown(call))),
  );

  /** Only the data of an order are looked into. */
  function put(call: Call, name: string, body: Buffer): void {
    const { version, data } = parsePut(body);
    const request = { version, data, ...conditionsOf(call, 'PUT') };
    onTwin(call, devices, (id) => twins.put(id, name, request, show(call), call));
  }

  for (const [method, change] of [
    ['PUT', 'put'],
    ['PATCH', 'patch'],
  ] as const) {
    router.onInTurn(method, DOCUMENT, WRITE, (call) => {
      const name = call.param('document_name');
      const seconds = call.query('wait') === undefined ? undefined : waitOf(call, name, limits.waitSeconds);
      call.body((body) => {
        if (method === 'PUT' && name !== DESIRED) return put(call, name, body);
        const { pin, version, data } = parseRequest(body);
        const request = { version, data, ...conditionsOf(call, method) };
        const write = () =>
          onTwin(call, devices, (id) => {
            const written =
              seconds === undefined
                ? show(call)
                : answerWhenApplied(call, { twinId: id, data, seconds, answer: sendOutcome(call) }, twins, {
                    waits,
                    mostKeys: limits.waitKeys,
                  });
            twins[change](id, name, request, written, call);
          });
        if (name === DESIRED) withPin(call, pins, { method, data, pin }, write);
        else write();
      });
    });
  }

  router.onInTurn('DELETE', DOCUMENT, WRITE, (call) => {
    const name = call.param('document_name');
    const precondition = preconditionOf(call);
    onTwin(call, devices, (id) =>
      twins.delete(
        id,
        name,
        answer(call, () => call.sendNothing()),
        call,
        precondition,
      ),
    );
  });
}

/** In UTF-16 units. Every version of a document holds the name of its writer. */
const WRITER_LENGTH = 64;

/** The writer, as the app shows it. */
export const writerOf = ({ description, role }: Token): string => description.slice(0, WRITER_LENGTH) || role;

function conditionsOf(call: Call, method: 'PUT' | 'PATCH'): Conditions {
  const asked = preconditionOf(call);
  // A document that does not exist cannot be patched, whatever the condition: that is `not found`, as for a delete.
  const precondition: Precondition | undefined =
    method === 'PUT' || asked === undefined
      ? asked
      : (present) => (present === undefined ? undefined : asked(present));
  return { precondition, by: writerOf(call.token), spend: call.spend };
}

const sendDocument = (call: Call, document: Document): void =>
  call.send(200, document.json, etagOf(document));

/** The document and the outcome of the write; 202 while the panel has not applied it. */
const sendOutcome = (call: Call) => (document: Document, outcome: Outcome) => {
  const json = `${document.json.slice(0, -1)},${JSON.stringify(outcome).slice(1)}`;
  call.send(outcome.applied ? 200 : 202, json, etagOf(document));
};

const show = (call: Call): Answer<Document> => answer(call, (document) => sendDocument(call, document));

/** Answers 304 instead of a document that the client has already. */
function showUnlessKnown(call: Call): Answer<Document> {
  const precondition = preconditionOf(call);
  if (precondition === undefined) return show(call);
  return answer(call, (document) => {
    const failed = precondition(document);
    if (failed === IF_NONE_MATCH) call.sendNotModified(etagOf(document));
    else if (failed !== undefined) call.fail(new PreconditionFailed(failed, document.version));
    else sendDocument(call, document);
  });
}

/** Answers with the value of the twin core, or with its error. */
const answer =
  <T>(call: Call, succeed: (value: T) => void): Answer<T> =>
  (error, value) => {
    if (error === null) succeed(value as T);
    else call.fail(error);
  };

/** A twin exists when its device does. @param call of a route whose path names a twin */
export function onTwin(call: Call, devices: Devices, then: (id: string) => void): void {
  const id = call.twinId as string;
  devices.has(id, (error, known) => {
    if (error !== null) return call.fail(error);
    if (known !== true) return call.fail(new DeviceNotFound(id));
    try {
      then(id);
    } catch (thrown) {
      call.fail(thrown);
    }
  });
}

/**
 * A document's entity tag names its version, its birth and the time of the write, so it never comes back for other
 * content: not when the document is deleted and made again, nor when the server goes on from a backup.
 */
const etagOf = (document: StoredDocument): string =>
  `"${document.version}-${bornOf(document).tag}-${document.updatedAt}"`;

const IF_MATCH = 'If-Match';
const IF_NONE_MATCH = 'If-None-Match';

/** The conditions of a request [RFC 9110, 13.1], or undefined when it makes none. @throws InvalidRequest for a malformed entity tag */
function preconditionOf(call: Call): Precondition | undefined {
  const match = call.header('if-match');
  const noneMatch = call.header('if-none-match');
  if (match === undefined && noneMatch === undefined) return undefined;
  // A weak tag is as good as a strong one only for a reader that has the document already [RFC 9110, 13.1.2].
  const wanted = match === undefined ? undefined : matcher(IF_MATCH, match, false);
  const unwanted = noneMatch === undefined ? undefined : matcher(IF_NONE_MATCH, noneMatch, true);
  return (present) => {
    if (wanted?.(present) === false) return IF_MATCH;
    return unwanted?.(present) === true ? IF_NONE_MATCH : undefined;
  };
}

const ENTITY_TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;

/** Whether the present document is among those that the header names. */
function matcher(
  header: string,
  given: string,
  weakToo: boolean,
): (present: StoredDocument | undefined) => boolean {
  if (given.trim() === '*') return (present) => present !== undefined;
  const tags = [...given.matchAll(ENTITY_TAG)];
  if (tags.length === 0 || /[^ \t,]/.test(given.replaceAll(ENTITY_TAG, ''))) {
    throw new InvalidRequest(
      header,
      'format',
      `${header} is neither * nor a list of entity tags, such as "3"`,
    );
  }
  const named = new Set(tags.filter(([, weak]) => weakToo || weak === undefined).map(([, , tag]) => tag));
  return (present) => present !== undefined && named.has(etagOf(present));
}
