import type { Action } from '../../shared/topics.js';
import { StorageUnavailable } from '../storage/storage.js';
import type { Document } from '../twins/document.js';
import { DocumentTooLarge, InvalidName, InvalidRequest, VersionMismatch } from '../twins/errors.js';
import { parseRequest } from '../twins/request.js';
import type { Answer, Twins } from '../twins/twins.js';

/** The device asks more than it may; what it asked was not done. */
export class TooManyRequests extends Error {
  override name = 'TooManyRequests';
  constructor() {
    super('too many requests');
  }
}

/** One request of a device on its own twin. */
export interface InbandRequest {
  readonly document: string;
  readonly action: Action;
}

/** `document` is there for everything but a delete. */
export type InbandAnswer = Answer<Document>;

type CarryOut = (
  twins: Twins,
  deviceId: string,
  name: string,
  payload: Buffer,
  answer: InbandAnswer,
  origin: unknown,
) => void;

const change =
  (method: 'put' | 'patch'): CarryOut =>
  (twins, deviceId, name, payload, answer, origin) => {
    let request: ReturnType<typeof parseRequest>;
    try {
      request = parseRequest(payload);
    } catch (error) {
      return answer(error as Error);
    }
    twins[method](deviceId, name, request, answer, origin);
  };

const ACTIONS: Readonly<Record<Action, CarryOut>> = {
  get: (twins, deviceId, name, _ignored, answer) => twins.get(deviceId, name, answer),
  put: change('put'),
  patch: change('patch'),
  delete: (twins, deviceId, name, _ignored, answer, origin) =>
    twins.delete(deviceId, name, (error) => answer(error), origin),
};

/** Payload in, answer out: once, with the errors of the twin core; a payload that does not parse is answered at once. */
export function carryOut(
  twins: Twins,
  deviceId: string,
  request: InbandRequest,
  payload: Buffer,
  answer: InbandAnswer,
  origin: unknown,
): void {
  ACTIONS[request.action](twins, deviceId, request.document, payload, answer, origin);
}

/** The payload of a success. A deleted document is only named: it has no version and no data any more. */
export const successText = (deviceId: string, name: string, document: Document | undefined): string =>
  document === undefined ? JSON.stringify({ twin_id: deviceId, document_name: name }) : document.json;

/** The payload of an error: `{"error","twin_id","document_name"}`, and both versions for a version mismatch. */
export function errorText(deviceId: string, name: string, error: Error): string {
  const answer = { error: messageOf(error), twin_id: deviceId, document_name: name };
  if (!(error instanceof VersionMismatch)) return JSON.stringify(answer);
  return JSON.stringify({ ...answer, expected_version: error.expected, actual_version: error.actual });
}

function messageOf(error: Error): string {
  if (error instanceof InvalidName || error instanceof DocumentTooLarge) return error.message;
  return error instanceof InvalidRequest ? `invalid payload: ${error.message}` : error.message;
}

/** Whether a request is to be acknowledged: refused for what it asks it is, but not when it might be done later. */
export const isAcknowledged = (error: Error | null): boolean =>
  !(error instanceof StorageUnavailable || error instanceof TooManyRequests);
