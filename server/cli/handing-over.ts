/** What the server gives once only: it arrives, or what it belongs to is taken back. */

import { OutputLost } from './terminal.js';

/** What was made could not be handed over. The message says what became of it. */
class NotHandedOver extends Error {
  override name = 'NotHandedOver';
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Hands something over, or else takes it back.
 * @param what such as `the device`, with its id
 * @throws NotHandedOver
 */
export async function handOver(
  what: string,
  give: () => Promise<void>,
  takeBack: () => Promise<unknown>,
): Promise<void> {
  try {
    await give();
  } catch (error) {
    const reason = error instanceof OutputLost && error.isClosed ? 'the output is closed' : messageOf(error);
    const fate = await takeBack().then(
      () => 'so it was deleted again',
      (failure) => `and it could not be deleted again (${messageOf(failure)}): delete it yourself`,
    );
    throw new NotHandedOver(`${what} was made, but ${reason}, ${fate}`);
  }
}
