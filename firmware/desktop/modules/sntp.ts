/** The SDK's `sntp` module. Its callback gets 1 and the seconds since 1970, or -1 when there was no answer. */

import { ask, listen } from './host.js';

type Callback = (message: number, value?: number) => void;

let lastId = 0;
const asking = new Map<number, Callback>();

class SNTP {
  static readonly time = 1;
  static readonly error = -1;

  constructor(_options: { host: string }, callback: Callback) {
    asking.set(++lastId, callback);
    ask('sntp', { id: lastId });
  }
}

listen('sntp', ({ head }) => {
  const callback = asking.get(head.id);
  asking.delete(head.id);
  if (head.seconds === undefined) callback?.(SNTP.error);
  else callback?.(SNTP.time, head.seconds);
});

export default SNTP;
