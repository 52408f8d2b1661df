import type { Settings } from '../config.js';
import type { Devices } from '../devices/devices.js';
import type { Document } from '../twins/document.js';
import type { Twins } from '../twins/twins.js';
import { WORK } from '../work.js';
import { ANSWER_HEADERS, type Call } from './call.js';
import type { RestLimits } from './limits.js';
import type { OpenAnswers } from './open-answers.js';
import { intQuery, timeOf } from './params.js';
import type { Router } from './router.js';
import { onTwin } from './twins.js';

const LIMIT = 100;
const HIGHEST_LIMIT = 1000;

/**
 * `GET …/documents/{name}/history?since=<RFC 3339>&before=<version>&limit=<1 to 1000, else 100>`:
 * `{"history":[document,…],"bound":{"versions":n,"bytes":n}}`, the versions written at that time or later and below that
 * version, newest first and with the present one; of large ones as many as fit into `historyAnswerBytes`. The bound says what
 * is kept: so many versions of each document, at least, as long as those of the whole twin take so many bytes.
 */
export function routeHistory(
  router: Router,
  {
    twins,
    devices,
    histories,
    limits,
    settings: { historyVersions, historyBytes },
  }: {
    readonly twins: Twins;
    readonly devices: Devices;
    /** The answers under way. Each is large, and in memory until the client has read it. */
    readonly histories: OpenAnswers;
    readonly limits: Pick<RestLimits, 'historyAnswerBytes'>;
    readonly settings: Pick<Settings, 'historyVersions' | 'historyBytes'>;
  },
): void {
  const bound = JSON.stringify({ versions: historyVersions, bytes: historyBytes });
  const path = '/twins/:twin_id/documents/:document_name/history';
  router.onInTurn('GET', path, { resource: 'twin_document', action: 'read' }, (call) => {
    const range = {
      ...since(call),
      before: intQuery(call, 'before', Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER),
      limit: intQuery(call, 'limit', LIMIT, 1, HIGHEST_LIMIT),
      dataBytes: limits.historyAnswerBytes,
    };
    onTwin(call, devices, (id) => {
      call.onClose(histories.hold(call.token, id, () => undefined));
      twins.history(id, call.param('document_name'), range).then(
        (documents) => sendHistory(call, documents, `],"bound":${bound}}`),
        (error) => call.fail(error),
      );
    });
  });
}

/** An answer shorter than this is sent as one. */
const PIECE_BYTES = 64 * 1024;

/** A longer one is made and sent piece by piece as the client takes it, so that it takes little memory and shows its progress. */
function sendHistory(call: Call, documents: Document[], end: string): void {
  if (documents.reduce((bytes, { data }) => bytes + data.length, 0) < PIECE_BYTES) {
    return call.send(200, `{"history":[${documents.map(({ json }) => json).join(',')}${end}`);
  }
  const out = call.stream({ ...ANSWER_HEADERS, 'Content-Type': 'application/json' });
  if (out === undefined) return;
  let before = '{"history":[';
  const go = (): void => {
    for (let next = documents.shift(); next !== undefined; next = documents.shift()) {
      const piece = before + next.json;
      before = ',';
      call.spend(piece.length * WORK.sentByte);
      if (!out.write(piece)) return void out.once('drain', go);
    }
    out.end(end);
  };
  go();
}

/** In UTC, as in the versions. */
function since(call: Call): { since?: string } {
  const given = call.query('since');
  return given === undefined ? {} : { since: timeOf('since', given).toISOString() };
}
