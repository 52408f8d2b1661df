import type { Devices } from '../devices/devices.js';
import { type Metric, Metrics } from '../metrics.js';
import type { Twins } from '../twins/twins.js';
import { ANSWER_HEADERS } from './call.js';
import type { OpenAnswers } from './open-answers.js';
import type { Router } from './router.js';

/** `GET /metrics`: the server's numbers, in the text format of Prometheus. */
export function routeMetrics(
  router: Router,
  {
    streams,
    waits,
    devices,
    twins,
    metrics,
  }: {
    readonly streams: OpenAnswers;
    readonly waits: OpenAnswers;
    readonly devices: Devices;
    readonly twins: Pick<Twins, 'watching'>;
    /** Those of the other parts of the server. */
    readonly metrics: readonly Metric[];
  },
): void {
  const { counters } = router;
  const all = new Metrics([
    ...metrics,
    {
      type: 'counter',
      name: 'twin_http_requests_total',
      help: 'HTTP requests, without those refused at the door',
      read: () => counters.requests,
    },
    {
      type: 'counter',
      name: 'twin_http_refusals_total',
      help: 'HTTP requests that were answered with an error, by its status',
      label: 'status',
      read: () => counters.refusals,
    },
    {
      type: 'gauge',
      name: 'twin_devices_connected',
      help: 'devices that are connected',
      read: () => devices.presence.count,
    },
    {
      type: 'gauge',
      name: 'twin_event_streams',
      help: 'open streams of events',
      read: () => streams.size,
    },
    {
      type: 'gauge',
      name: 'twin_waiting_writes',
      help: 'writes that wait for the panel to follow',
      read: () => waits.size,
    },
    {
      type: 'gauge',
      name: 'twin_watchers',
      help: 'connections, streams of events and writes that hear of the changes of a twin',
      read: () => twins.watching,
    },
  ]);
  router.onRoot('/metrics', { resource: 'metrics', action: 'read' }, async (call) => {
    const { text, contentType } = await all.read();
    call.stream({ ...ANSWER_HEADERS, 'Content-Type': contentType })?.end(text);
  });
}
