import type { Devices } from '../devices/devices.js';
import type { PresenceState } from '../devices/presence.js';
import type { Document } from '../twins/document.js';
import type { Twins } from '../twins/twins.js';
import { ANSWER_HEADERS, type Call } from './call.js';
import { type EventLimits, EventStream } from './event-stream.js';
import { KnownState, type TwinEvent } from './known-state.js';
import type { OpenAnswers } from './open-answers.js';
import type { Router } from './router.js';
import { onTwin } from './twins.js';

/** A proxy must neither hold the stream back until there is more of it, nor store it for another reader. */
const HEADERS = {
  ...ANSWER_HEADERS,
  'Content-Type': 'text/event-stream',
  'X-Accel-Buffering': 'no',
};

/**
 * `GET /twins/{id}/events`: the changes of a twin, as Server-Sent Events (HTML Living Standard, 9.2). First the present
 * state, then every change, in the order in which they became durable and none twice:
 *
 * | event | data |
 * | --- | --- |
 * | `twin` | `{"twin_id","documents":[{"document_name"},…]}`: the present state follows; the twin has no other documents |
 * | `document` | the document as a get answers it |
 * | `document_deleted` | `{"twin_id","document_name"}` |
 * | `presence` | `{"device_id","is_connected","at"}`: since when (RFC 3339); not connected: when it was last heard, or null |
 *
 * Every event's `id` says what its reader knows of the whole twin (`KnownState`). A reader that comes back with it as
 * `Last-Event-ID` gets the difference: the present version of each document that changed, the deletions, and the
 * presence if it changed. The versions between are in the history. The difference is exact, also after a restart of the server,
 * unless a document is deleted and made again up to the same version within one millisecond. With no id, or one that
 * cannot be read, the reader gets the whole present state, beginning with `twin`. A twin with so many long names that an id would
 * be too long has empty ones, so its readers get the whole state each time.
 *
 * The stream ends when the token is revoked or expires, when the device is deleted and when the server stops; a reader
 * that does not keep up is cut off, and learns what it missed when it comes back.
 */
export function routeEvents(
  router: Router,
  {
    twins,
    devices,
    streams,
    limits,
  }: {
    readonly twins: Twins;
    readonly devices: Devices;
    readonly streams: OpenAnswers;
    readonly limits: EventLimits;
  },
): void {
  router.onInTurn('GET', '/twins/:twin_id/events', { resource: 'twin_document', action: 'read' }, (call) =>
    onTwin(call, devices, (id) => {
      follow(call, id).catch((error) => call.fail(error));
    }),
  );

  /** @throws HttpError for too many, StorageUnavailable */
  async function follow(call: Call, id: string): Promise<void> {
    const resumed = KnownState.parse(call.header('last-event-id') ?? '');
    const known = resumed ?? new KnownState();
    const stream = new EventStream(id, known, limits);
    const release = streams.hold(call.token, id, () => stream.end());
    let changed: PresenceState | undefined;
    const unwatchPresence = devices.presence.watch(id, (state) => {
      changed = state;
      stream.tell({ event: 'presence', state });
    });
    call.onClose(() => {
      stream.close();
      unwatchPresence();
      release();
    });

    call.onClientEnd(() => stream.end());

    const found = await devices.presence.state(id);
    const begin = (): void =>
      twins.all(id, (error, documents = []) => {
        if (error !== null) return call.fail(error);
        if (call.mustWait) return call.later(begin);
        const out = call.stream(HEADERS);
        if (out === undefined) return stream.close();
        if (stream.ended || call.isHead) return out.end();
        const missing = known.missing(documents, changed ?? found);
        stream.begin(out, resumed === undefined ? [{ event: 'twin', documents }, ...missing] : missing);
        call.onClose(twins.watch(id, ({ name, document }) => stream.tell(eventOf(name, document))));
      });
    begin();
  }
}

const eventOf = (name: string, document: Document | undefined): TwinEvent =>
  document === undefined ? { event: 'document_deleted', name } : { event: 'document', document };
