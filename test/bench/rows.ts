/** Every row of the table, in its order. */

import type { Row } from './row.js';
import { aedesLowdb } from './rows/aedes-lowdb.js';
import { alert } from './rows/alert.js';
import { app } from './rows/app.js';
import { clusterConflicts } from './rows/cluster-conflicts.js';
import { clusterFailover } from './rows/cluster-failover.js';
import { clusterPush } from './rows/cluster-push.js';
import { clusterPuts } from './rows/cluster-puts.js';
import { durable } from './rows/durable.js';
import { fair } from './rows/fair.js';
import { firmware } from './rows/firmware.js';
import { floors } from './rows/floor.js';
import { growth, history } from './rows/growth.js';
import { atQos0, atQos1, tlsAtQos0, tlsAtQos1 } from './rows/inband-put.js';
import { memory, tlsMemory } from './rows/memory.js';
import { node } from './rows/node.js';
import { installed } from './rows/package.js';
import { push } from './rows/push.js';
import { restGet, restPut, tlsRestGet, tlsRestPut } from './rows/rest.js';
import { roundTrip } from './rows/round-trip.js';
import { scale } from './rows/scale.js';
import { siren } from './rows/siren.js';
import { stall } from './rows/stall.js';
import { start } from './rows/start.js';
import { streams } from './rows/streams.js';
import { syscalls } from './rows/syscalls.js';
import { tlsReturn, tlsReturnCut } from './rows/tls-return.js';

export const ROWS: readonly Row[] = [
  atQos0,
  atQos1,
  aedesLowdb,
  ...durable,
  roundTrip,
  ...floors,
  restGet,
  restPut,
  scale,
  growth,
  history,
  streams,
  start,
  memory,
  tlsAtQos0,
  tlsAtQos1,
  tlsReturn,
  tlsReturnCut,
  tlsRestGet,
  tlsRestPut,
  tlsMemory,
  stall,
  syscalls,
  node,
  push,
  siren,
  alert,
  firmware,
  app,
  installed,
  clusterPuts,
  clusterPush,
  clusterConflicts,
  clusterFailover,
  ...fair,
];

/** The row of this name, or else all whose names begin with it and a hyphen. */
export function rowsNamed(name: string): Row[] {
  const row = ROWS.find((each) => each.name === name);
  return row === undefined ? ROWS.filter((each) => each.name.startsWith(`${name}-`)) : [row];
}
