/** What stands in the configuration of the tested Home Assistant: the automations of the README, and a dashboard. */

import { readFileSync } from 'node:fs';

const PAGE = 'server/homeassistant/README.md';
/** In the README a household leaves for good after so long; a test has less time. */
const LEFT_FOR = ['00:05:00', '00:00:01'] as const;

/** The automations of the README for the panel with this entity. @param slug what its other entities begin with */
export function automations(entityId: string, slug: string): string {
  const [, yaml = ''] = /```yaml\n(automation:\n.*?)```/s.exec(readFileSync(PAGE, 'utf8')) ?? [];
  if (!yaml.includes(LEFT_FOR[0])) throw new Error(`${PAGE} has no automations`);
  return yaml
    .replaceAll('alarm_control_panel.home', entityId)
    .replaceAll('event.home_', `event.${slug}_`)
    .replace(...LEFT_FOR);
}

export const DASHBOARD = {
  'ui-lovelace.yaml': `title: Home
views:
  - title: Home
    cards:
      - type: alarm-panel
        entity: alarm_control_panel.house
        states: [arm_away, arm_home, arm_night]
      - type: entities
        title: House
        entities:
          - binary_sensor.house_front_door
          - binary_sensor.house_window
          - binary_sensor.house_siren
          - event.house_refused_order
          - binary_sensor.house_connection
          - binary_sensor.house_problem
          - sensor.house_last_report
`,
};
