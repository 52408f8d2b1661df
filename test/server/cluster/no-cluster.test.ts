import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { noCluster } from '../../../server/cluster/no-cluster.js';

test('a server without a database leads, counts itself, and hears of no others', async () => {
  const { id, leadership, others, sessions, elsewhere } = noCluster;
  assert.is(id, undefined);
  assert.ok(leadership.leads());
  assert.not(leadership.isShared);
  assert.is(others.liveNodes(), 1);
  assert.is(sessions, undefined);
  assert.is(elsewhere, undefined);
});

test('a server without a database never ends its sessions for others, and leads until it is closed', async () => {
  let calls = 0;
  const count = () => {
    calls += 1;
  };
  noCluster.onEnd(count);
  noCluster.leadership.watch(count);
  noCluster.others.onBlock(count);
  noCluster.others.tellBlock('203.0.113.7', 1000);
  await noCluster.close();
  assert.is(calls, 0);
});

test.run();
