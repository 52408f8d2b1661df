import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  causeOf,
  type Made,
  madeOf,
  recentOrders,
  withOrders,
} from '../../../../../server/app/page/state/orders.js';
import { desired, MINUTE, other, SECOND, T } from './world.js';

const made = (minute: number, armed: boolean, more: Partial<Made> = {}): Made => ({
  at: T + minute * MINUTE,
  armed,
  ...more,
});

test('an order is read from a version of desired', () => {
  const version = { ...desired(true), updated_by: 'Anna' };
  assert.equal(madeOf(version), { at: T, armed: true, by: 'Anna' });
  assert.equal(madeOf({ ...version, data: { alarm_armed: true, request: 'r1' } })?.request, 'r1');
  assert.equal(madeOf({ ...version, data: { alarm_armed: true, request: 7 } })?.request, undefined);
  assert.is(madeOf(other({ lamp: 'on' })), undefined);
  assert.is(madeOf({ ...version, updated_at: 'noon' }), undefined);
});

test('a version that orders nothing new is no order, and a second press is one', () => {
  const press = made(1, true, { request: 'a' });
  const delay = made(2, true, { request: 'a', by: 'another program' });
  const again = made(3, true, { request: 'b' });
  assert.equal(withOrders([press], [delay, again]), [press, again]);
});

test('orders that are known already are not appended again', () => {
  const known = [made(1, true), made(2, false)];
  assert.equal(withOrders(known, [made(1, true), made(2, false), made(3, true)]), [...known, made(3, true)]);
});

test('the order that stood at the beginning is kept with the recent ones', () => {
  const all = [made(1, true), made(2, false), made(3, true)];
  assert.equal(recentOrders(all, T + 2.5 * MINUTE), all.slice(1));
  assert.equal(recentOrders(all, T), all);
  assert.equal(recentOrders(all, T + 9 * MINUTE), all.slice(2));
  assert.equal(recentOrders([], T), []);
});

test('an arming was caused by the last order before it', () => {
  const orders = [
    made(1, true, { by: 'Anna' }),
    made(2, false, { by: 'Ben' }),
    made(3, true, { by: 'Cleo' }),
  ];
  assert.equal(causeOf(orders, true, T + MINUTE + SECOND), { by: 'Anna' });
  assert.equal(causeOf(orders, false, T + 2 * MINUTE + SECOND), { by: 'Ben' });
  assert.equal(causeOf(orders, true, T), undefined);
  assert.equal(causeOf(orders, false, T + 3 * MINUTE + SECOND), undefined);
});

test('an order that the panel wrote was given at the door', () => {
  const orders = [made(1, true, { by: 'Anna' }), made(2, false)];
  assert.equal(causeOf(orders, false, T + 2 * MINUTE - SECOND), 'door');
});

test('an order of a time in which the server kept no writers has no cause', () => {
  assert.equal(causeOf([made(1, true), made(2, false)], false, T + 2 * MINUTE), undefined);
});

test('an order the other way that follows at once does not hide who gave the first', () => {
  const orders = [
    { at: T, armed: true, by: 'Anna' },
    { at: T + 2 * SECOND, armed: false },
    { at: T + 4 * SECOND, armed: true, by: 'Ben' },
  ];
  assert.equal(causeOf(orders, true, T + 100), { by: 'Anna' });
  assert.is(causeOf(orders, false, T + SECOND), 'door');
  assert.equal(causeOf(orders, true, T + 4 * SECOND + 100), { by: 'Ben' });
});

test.run();
