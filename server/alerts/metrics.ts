import type { Metric } from '../metrics.js';
import type { Alerts } from './alerts.js';
import { isOpen } from './life.js';

const STATUSES = ['waiting', 'delivered', 'failed'] as const;

/** The numbers of the alerts. Deliveries are those that are kept: all that wait, and the last ones that have ended. */
export const alertMetrics = (alerts: Alerts): Metric[] => [
  {
    type: 'gauge',
    name: 'twin_alerts_open',
    help: 'alerts that are not resolved',
    read: () => alerts.list.filter(isOpen).length,
  },
  {
    type: 'gauge',
    name: 'twin_alert_deliveries',
    help: 'messages that wait, and the last ones that were delivered or have failed',
    label: 'status',
    read: () =>
      new Map(
        STATUSES.map((status) => [status, alerts.deliveries.filter((each) => each.status === status).length]),
      ),
  },
];
