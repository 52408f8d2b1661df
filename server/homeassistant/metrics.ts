import type { Metric } from '../metrics.js';
import type { Bridge } from './bridge.js';

/** The numbers of the bridge to Home Assistant; none without one. */
export const bridgeMetrics = (bridge: Bridge | undefined): Metric[] =>
  bridge === undefined
    ? []
    : [
        {
          type: 'gauge',
          name: 'twin_homeassistant_connected',
          help: '1 while the bridge is connected to the broker of Home Assistant',
          read: () => Number(bridge.session.isUp),
        },
        {
          type: 'gauge',
          name: 'twin_homeassistant_panels',
          help: 'panels that are shown in Home Assistant',
          read: () => bridge.panels,
        },
        {
          type: 'gauge',
          name: 'twin_homeassistant_waiting',
          help: 'topics whose message waits for its turn',
          read: () => bridge.session.waiting,
        },
        {
          type: 'counter',
          name: 'twin_homeassistant_connections_total',
          help: 'connections to the broker that were made',
          read: () => bridge.session.counters.connections,
        },
        {
          type: 'counter',
          name: 'twin_homeassistant_published_total',
          help: 'messages that were published',
          read: () => bridge.session.counters.published,
        },
        {
          type: 'counter',
          name: 'twin_homeassistant_passes_total',
          help: 'how often everything was said again, after a connection or a start of Home Assistant',
          read: () => bridge.session.counters.passes,
        },
        {
          type: 'counter',
          name: 'twin_homeassistant_commands_total',
          help: 'commands, by what became of them',
          label: 'outcome',
          read: () => bridge.commands,
        },
      ];
