import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isDoubtful, repeatsOf, repeatsText, undisturbed } from './disturbance.js';

const QUIET = 0.02;

/** Measures in turn 1, 2, 3 …, while others take these shares of a core. */
async function measuredBeside(others: (number | undefined)[], repeats: number) {
  const order: string[] = [];
  let tries = 0;
  const attempt = await undisturbed({
    measure: async () => {
      tries += 1;
      order.push('measure');
      return tries;
    },
    settle: async () => {
      order.push('settle');
    },
    watch: () => {
      order.push('watch');
      return () => {
        order.push('look');
        return others[tries - 1];
      };
    },
    repeats,
  });
  return { attempt, order };
}

test('a quiet measurement counts, and is made once', async () => {
  const { attempt, order } = await measuredBeside([QUIET], 2);
  assert.equal(attempt, { result: 1, others: QUIET, repeated: 0 });
  assert.equal(order, ['watch', 'measure', 'look', 'settle']);
});

test('a disturbed measurement is thrown away, and made again after the program came to rest', async () => {
  const { attempt, order } = await measuredBeside([0.5, QUIET], 2);
  assert.equal(attempt, { result: 2, others: QUIET, repeated: 1 });
  assert.equal(order.slice(3, 6), ['settle', 'watch', 'measure']);
});

test('when all are disturbed, the least disturbed one counts, after no more tries than allowed', async () => {
  const { attempt } = await measuredBeside([0.5, 0.3, 0.4, 0], 2);
  assert.equal(attempt, { result: 2, others: 0.3, repeated: 2 });
  assert.is((await measuredBeside([0.5, 0], 0)).attempt.result, 1);
});

test('where others cannot be seen, nothing is made again', async () => {
  const { attempt } = await measuredBeside([undefined], 2);
  assert.equal(attempt, { result: 1, others: undefined, repeated: 0 });
});

test('the repeats of all measurements are counted, and those that count although they were disturbed', () => {
  const repeats = repeatsOf([
    { result: 1, others: QUIET, repeated: 1 },
    { result: 1, others: 0.5, repeated: 2 },
    { result: 1, others: undefined, repeated: 0 },
  ]);
  assert.equal(repeats, { repeated: 3, counted: 3, disturbed: 1 });
  assert.match(
    repeatsText(repeats),
    '3 disturbed measurements made again; 1 of the 3 that count are DISTURBED',
  );
  assert.not.match(repeatsText({ repeated: 3, counted: 3, disturbed: 0 }), 'DISTURBED');
});

test('a row is doubtful when more than half of what counts was disturbed', () => {
  assert.is(isDoubtful({ repeated: 9, counted: 10, disturbed: 5 }), false);
  assert.is(isDoubtful({ repeated: 0, counted: 10, disturbed: 6 }), true);
});

test.run();
