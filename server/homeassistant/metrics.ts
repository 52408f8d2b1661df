import type { Metric } from '../metrics.js';
import type { Bridges } from './bridges.js';

/** The numbers of the bridge to Home Assistant; none where there never is one. */
export const bridgeMetrics = (bridges: Bridges | undefined): Metric[] =>
  bridges === undefined
    ? []
    : [
        {
          type: 'gauge',
          name: 'twin_homeassistant_connected',
          help: '1 while the bridge is connected to the broker of Home Assistant',
          read: () => Number(bridges.isUp),
        },
        {
          type: 'gauge',
          name: 'twin_homeassistant_panels',
          help: 'panels that are shown in Home Assistant',
          read: () => bridges.panels,
        },
        {
          type: 'gauge',
          name: 'twin_homeassistant_waiting',
          help: 'topics whose message waits for its turn',
          read: () => bridges.waiting,
        },
        {
          type: 'counter',
          name: 'twin_homeassistant_connections_total',
          help: 'connections to the broker that were made',
          read: () => bridges.counters.connections,
        },
        {
          type: 'counter',
          name: 'twin_homeassistant_published_total',
          help: 'messages that were published',
          read: () => bridges.counters.published,
        },
        {
          type: 'counter',
          name: 'twin_homeassistant_passes_total',
          help: 'how often everything was said again, after a connection or a start of Home Assistant',
          read: () => bridges.counters.passes,
        },
        {
          type: 'counter',
          name: 'twin_homeassistant_commands_total',
          help: 'commands, by what became of them',
          label: 'outcome',
          read: () => bridges.commands,
        },
      ];
