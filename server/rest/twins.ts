import type { DocumentRequest } from '../../shared/document.js';
import { authorize } from '../access/permissions.js';
import { DeviceNotFound, type Devices } from '../devices/devices.js';
import type { Document } from '../twins/document.js';
import { type ConditionalRequest, PreconditionFailed } from '../twins/precondition.js';
import { parseRequest } from '../twins/request.js';
import type { Answer } from '../twins/twins.js';
import { etagOf, IF_NONE_MATCH, preconditionOf } from './etag.js';
import { idParam } from './params.js';
import type { Call, Router } from './router.js';
import { answerWhenApplied, type WaitParts, waitOf } from './wait.js';

const DOCUMENT = '/twins/:twin_id/documents/:document_name';
const WRITE = { resource: 'twin_document', action: 'write' } as const;

export interface TwinParts extends WaitParts {
  readonly devices: Devices;
}

export function routeTwins(router: Router, parts: TwinParts): void {
  const { twins, devices } = parts;
  router.on('GET', '/twins/:twin_id', { resource: 'twin', action: 'read' }, (call) =>
    onTwin(call, devices, (id) =>
      twins.list(
        id,
        answer(call, (names) => {
          call.send(200, JSON.stringify({ documents: names.map((document_name) => ({ document_name })) }));
        }),
      ),
    ),
  );

  router.on('DELETE', '/twins/:twin_id', { resource: 'twin', action: 'write' }, (call) =>
    onTwin(call, devices, (id) =>
      twins.clear(
        id,
        answer(call, () => call.sendNothing()),
      ),
    ),
  );

  router.on('GET', DOCUMENT, { resource: 'twin_document', action: 'read' }, (call) =>
    onTwin(call, devices, (id) => twins.get(id, call.param('document_name'), showUnlessKnown(call))),
  );

  for (const [method, change] of [
    ['PUT', 'put'],
    ['PATCH', 'patch'],
  ] as const) {
    router.on(method, DOCUMENT, WRITE, (call) => {
      const name = writable(call);
      const seconds = waitOf(call, name, parts.limits.waitSeconds);
      call.body((body) => {
        const request = conditional(call, parseRequest(body));
        onTwin(call, devices, (id) => {
          const { data } = request;
          const written =
            seconds === undefined
              ? show(call)
              : answerWhenApplied(call, { twinId: id, data, seconds }, parts);
          twins[change](id, name, request, written);
        });
      });
    });
  }

  router.on('DELETE', DOCUMENT, WRITE, (call) => {
    const name = writable(call);
    const precondition = preconditionOf(call);
    onTwin(call, devices, (id) =>
      twins.delete(
        id,
        name,
        answer(call, () => call.sendNothing()),
        undefined,
        precondition,
      ),
    );
  });
}

function writable(call: Call): string {
  const name = call.param('document_name');
  authorize(call.token, WRITE, name);
  return name;
}

function conditional(call: Call, request: DocumentRequest): ConditionalRequest {
  const precondition = preconditionOf(call);
  return precondition === undefined ? request : { ...request, precondition };
}

const sendDocument = (call: Call, document: Document): void =>
  call.sendTagged(200, document.json, etagOf(document));

const show = (call: Call): Answer<Document> => answer(call, (document) => sendDocument(call, document));

/** What the client has already is not sent again. */
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

/** Answers with what the twin core gives, or as its error says. */
export const answer =
  <T>(call: Call, succeed: (value: T) => void): Answer<T> =>
  (error, value) => {
    if (error === null) succeed(value as T);
    else call.fail(error);
  };

/** A twin is there when its device is; in most cases that is known at once. */
export function onTwin(call: Call, devices: Devices, then: (id: string) => void): void {
  const id = idParam(call, 'twin_id');
  const known = devices.has(id);
  if (known === true) then(id);
  else if (known === false) call.fail(new DeviceNotFound(id));
  else
    known
      .then((is) => (is ? then(id) : call.fail(new DeviceNotFound(id))))
      .catch((error) => call.fail(error));
}
