import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Metrics, nodeMetrics } from '../../server/metrics.js';

const linesOf = (text: string, name: string): string[] =>
  text.split('\n').filter((line) => line.startsWith(name) || line.startsWith(`# TYPE ${name}`));

test('a metric is read at each request', async () => {
  let [happened, now] = [1, 5];
  const metrics = new Metrics([
    { type: 'counter', name: 'deeds_total', help: 'deeds', read: () => happened },
    { type: 'gauge', name: 'things', help: 'things', read: () => now },
  ]);
  const { text, contentType } = await metrics.read();
  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  assert.equal(linesOf(text, 'deeds_total'), ['# TYPE deeds_total counter', 'deeds_total 1']);
  assert.equal(linesOf(text, 'things'), ['# TYPE things gauge', 'things 5']);
  [happened, now] = [7, 2];
  const again = (await metrics.read()).text;
  assert.equal(linesOf(again, 'deeds_total').at(-1), 'deeds_total 7');
  assert.equal(linesOf(again, 'things').at(-1), 'things 2');
});

test('a metric with a label has a line for each of its values', async () => {
  const read = () =>
    new Map([
      [404, 2],
      [400, 3],
    ]);
  const metrics = new Metrics([{ type: 'counter', name: 'errors_total', help: 'e', label: 'status', read }]);
  for (let times = 0; times < 2; times += 1) {
    assert.equal(linesOf((await metrics.read()).text, 'errors_total').slice(1), [
      'errors_total{status="404"} 2',
      'errors_total{status="400"} 3',
    ]);
  }
});

test('a server that is one of several says which, and one that is alone says nothing', async () => {
  const { text } = await new Metrics(nodeMetrics('c0ffee')).read();
  assert.is(linesOf(text, 'twin_node_info').at(-1), 'twin_node_info{node="c0ffee"} 1');
  assert.equal(nodeMetrics(undefined), []);
});

test('the numbers of the process are there, and two instances do not collide', async () => {
  const [one, other] = [new Metrics([]), new Metrics([])];
  for (const metrics of [one, other]) {
    const { text } = await metrics.read();
    for (const name of ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds']) {
      assert.is(linesOf(text, name).length, 2, name);
    }
  }
});

test.run();
