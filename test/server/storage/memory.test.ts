import { suite } from 'uvu';
import { memoryStorage } from '../../../server/storage/memory.js';
import { storageContract } from './contract.js';

const test = suite('memory storage');

storageContract((name, run) =>
  test(name, async () => {
    const storage = memoryStorage();
    await run({
      storage,
      breakDown: () => storage.failWith(new Error('broken')),
      repair: async () => storage.failWith(undefined),
    });
    await storage.close();
  }),
);

test.run();
