/** Where the bridge publishes and listens. Every topic is made of ids, never of names. */

export interface Place {
  /** Made once for each server, so that two servers on one broker have nothing in common. */
  readonly instance: string;
  /** The topic below which Home Assistant looks for entities. */
  readonly prefix: string;
  /** The topic below which the bridge keeps what it says itself. */
  readonly base: string;
}

/** The id of a panel in Home Assistant. Every unique id begins with it. */
export const panelIdOf = ({ instance }: Place, deviceId: string): string =>
  `alarm-twin-${instance}-${deviceId}`;

const rootOf = ({ base, instance }: Place): string => `${base}/${instance}`;

/** `online` or `offline`: whether the bridge is there. */
export const bridgeTopic = (place: Place): string => `${rootOf(place)}/availability`;

export const topicOf = (place: Place, deviceId: string, part: string): string =>
  `${rootOf(place)}/${deviceId}/${part}`;

/** The commands to all panels. */
export const commandFilter = (place: Place): string => `${rootOf(place)}/+/command`;

/** The device that a command is for, or undefined when this is not the topic of a command. */
export function commandedDevice(place: Place, topic: string): string | undefined {
  const root = `${rootOf(place)}/`;
  const [id, part, ...more] = topic.startsWith(root) ? topic.slice(root.length).split('/') : [];
  return part === 'command' && more.length === 0 ? id : undefined;
}

/** Home Assistant says `online` there when it has started. */
export const birthTopic = ({ prefix }: Place): string => `${prefix}/status`;

export const discoveryTopic = (place: Place, component: string, deviceId: string, object?: string): string =>
  [
    place.prefix,
    component,
    panelIdOf(place, deviceId),
    ...(object === undefined ? [] : [object]),
    'config',
  ].join('/');
