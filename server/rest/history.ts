import type { Settings } from '../config.js';
import type { Devices } from '../devices/devices.js';
import type { Twins } from '../twins/twins.js';
import type { Call } from './call.js';
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
        (documents) =>
          call.send(200, `{"history":[${documents.map(({ json }) => json).join(',')}],"bound":${bound}}`),
        (error) => call.fail(error),
      );
    });
  });
}

/** In UTC, as in the versions. */
function since(call: Call): { since?: string } {
  const given = call.query('since');
  return given === undefined ? {} : { since: timeOf('since', given).toISOString() };
}
