import type { Metric } from '../metrics.js';
import type { MqttCounters } from './endpoint.js';

/** The endpoint's counters, for those who watch over the server. */
export const mqttMetrics = (counters: Readonly<MqttCounters>): Metric[] => [
  {
    type: 'gauge',
    name: 'twin_mqtt_connections',
    help: 'open MQTT connections',
    read: () => counters.connections,
  },
  {
    type: 'counter',
    name: 'twin_mqtt_connects_accepted_total',
    help: 'MQTT connections that were let in',
    read: () => counters.accepted,
  },
  {
    type: 'counter',
    name: 'twin_mqtt_connects_refused_total',
    help: 'MQTT connections that were refused by a CONNACK',
    read: () => counters.refused,
  },
  {
    type: 'counter',
    name: 'twin_mqtt_connections_dropped_total',
    help: 'MQTT connections that the server closed',
    read: () => counters.dropped,
  },
  {
    type: 'counter',
    name: 'twin_mqtt_publishes_dropped_total',
    help: 'publishes that asked for nothing or were for somewhere else',
    read: () => counters.droppedPublishes,
  },
];
