/** Attacks by HTTP, with confined tokens or none. */

import { randomUUID } from 'node:crypto';
import {
  ask,
  BASE,
  connectHttp,
  countAnswers,
  httpRequest,
  ownDocument,
  sendAgainAndAgain,
  sendAndNotRead,
  sendAndReadSlowly,
  times,
} from './http.js';
import { large, manyKeys } from './inband.js';
import { inband, withConnection } from './mqtt.js';
import type { Attack, Scene } from './scene.js';

const KEYS = 5300;
const WAITING = 16;
const WAITS = 64;
const SMALL_WAITS = 1100;
const HISTORIES = 8;
const HISTORY_VERSIONS = 1700;
const HISTORY_SECONDS = 10;
const STRANGERS = 50;
const STRANGER_REQUESTS = 1500;
const UNREAD = 200;
const UNREAD_REQUESTS = 400;
const BURST_BYTES = 64 * 1024;
const STREAMS = 64;
const WRITING = 4;
const WRONG_EVERY_MS = 50;

const putOf = (scene: Scene, name: string, body: string): Buffer =>
  httpRequest('PUT', ownDocument(scene, name), { token: scene.app, body });

const waits: Attack = {
  what: '1,024 pipelined writes of 5,300 keys that wait for the panel, on 16 connections of one app',
  from: 'household',
  prepare: async (scene) => {
    const path = `${ownDocument(scene, 'desired')}?wait=30`;
    const write = httpRequest('PUT', path, { token: scene.app, body: manyKeys(KEYS, 1) });
    // The panel of the same household reports every key, the last one otherwise.
    let report = 1;
    return () => {
      withConnection(scene, (stream) => {
        const reporting = setInterval(() => {
          report += 1;
          stream.write(inband('current', 'put', manyKeys(KEYS, report)));
        }, 1000);
        stream.once('close', () => clearInterval(reporting));
      });
      for (let index = 0; index < WAITING; index += 1) {
        sendAgainAndAgain(scene, { requests: times(WAITS, write), number: WAITS });
      }
    };
  },
};

const smallWaits: Attack = {
  what: '1,100 small writes that wait for the panel, pipelined on one connection of one app',
  from: 'household',
  prepare: async (scene) => {
    const path = `${ownDocument(scene, 'desired')}?wait=30`;
    const write = httpRequest('PUT', path, { token: scene.app, body: '{"data":{"alarm_armed":true}}' });
    return () => sendAgainAndAgain(scene, { requests: times(SMALL_WAITS, write), number: SMALL_WAITS });
  },
};

const histories: Attack = {
  what: '8 histories of one reader, of which one byte a second is read, behind 100 MB of versions',
  from: 'household',
  prepare: async (scene) => {
    const latest = performance.now() + 1000 * HISTORY_SECONDS;
    const bodies = ['a', 'b'].map((letter) => putOf(scene, 'large', large(letter)));
    await putInTurn(scene, bodies, HISTORY_VERSIONS, () => performance.now() < latest);
    const path = `${ownDocument(scene, 'large')}/history?before=1`;
    const read = httpRequest('GET', path, { token: scene.reader });
    return () => {
      for (let index = 0; index < HISTORIES; index += 1) sendAndReadSlowly(scene, read);
    };
  },
};

/** Puts one after another on one connection. */
function putInTurn(scene: Scene, bodies: Buffer[], number: number, goesOn: () => boolean): Promise<void> {
  const socket = connectHttp(scene);
  return new Promise((done, failed) => {
    let sent = 0;
    const next = (): void => {
      if (sent === number || !goesOn()) {
        socket.off('close', failed);
        socket.destroy();
        return done();
      }
      socket.write(bodies[sent % bodies.length] ?? '');
      sent += 1;
    };
    countAnswers(socket, scene, next);
    socket.once('close', failed);
    next();
  });
}

const strangers: Attack = {
  what: '50 connections × 1,500 pipelined requests without a token: 401, 404 and the app',
  from: 'elsewhere',
  prepare: async (scene) => {
    const paths = [`${BASE}/twins/${scene.device.id}`, '/nowhere', '/service-worker.js'];
    const requests = paths.map((path) => times(STRANGER_REQUESTS, httpRequest('GET', path)));
    return () => {
      for (let index = 0; index < STRANGERS; index += 1) {
        sendAgainAndAgain(scene, {
          requests: requests[index % paths.length] ?? Buffer.alloc(0),
          number: STRANGER_REQUESTS,
        });
      }
    };
  },
};

const unread: Attack = {
  what: '200 connections × 400 pipelined GETs of one reader whose answers are not read',
  from: 'household',
  onSmallHeap: true,
  prepare: async (scene) => {
    await ask(scene, putOf(scene, 'large', large('a')));
    const read = httpRequest('GET', ownDocument(scene, 'large'), { token: scene.reader });
    const requests = times(UNREAD_REQUESTS, read);
    return () => {
      for (let index = 0; index < UNREAD; index += 1) sendAndNotRead(scene, requests, UNREAD_REQUESTS);
    };
  },
};

const bursts: Attack = {
  what: '200 connections that rest after one good request, then 64 KiB of small ones without a token on all at once',
  from: 'elsewhere',
  prepare: async (scene) => {
    const good = httpRequest('GET', `${BASE}/tokens/self`, { token: scene.reader });
    const small = httpRequest('GET', '/');
    const number = Math.floor(BURST_BYTES / small.length);
    const burst = times(number, small);
    return () => {
      for (let index = 0; index < UNREAD; index += 1) {
        sendAgainAndAgain(scene, { requests: burst, number, first: good });
      }
    };
  },
};

const streams: Attack = {
  what: '64 event streams of one reader that are not read, while one app puts 60 KiB without a pause',
  from: 'household',
  prepare: async (scene) => {
    const follow = httpRequest('GET', `${BASE}/twins/${scene.device.id}/events`, { token: scene.reader });
    const bodies = Buffer.concat(['a', 'b'].map((letter) => putOf(scene, 'large', large(letter))));
    return () => {
      for (let index = 0; index < STREAMS; index += 1) sendAndNotRead(scene, follow, 1);
      for (let index = 0; index < WRITING; index += 1) {
        sendAgainAndAgain(scene, { requests: bodies, number: 2 });
      }
    };
  },
};

/** A wrong token and a wrong password, again and again. */
function guess(scene: Scene): void {
  const path = `${BASE}/twins/${scene.device.id}`;
  const wrong: Scene = { ...scene, device: { ...scene.device, password: 'wrong' } };
  withConnection(wrong, () => undefined);
  setInterval(() => {
    const socket = connectHttp(scene);
    countAnswers(socket, scene, () => undefined);
    socket.end(httpRequest('GET', path, { token: randomUUID() }));
  }, WRONG_EVERY_MS);
}

const guesses: Attack = {
  what: 'wrong passwords and tokens from the address of the household, then panel, app and owner come again',
  from: 'household',
  householdComesAgain: true,
  prepare: async (scene) => () => guess(scene),
};

export const REST_ATTACKS: Readonly<Record<string, Attack>> = {
  waits,
  'small-waits': smallWaits,
  histories,
  strangers,
  unread,
  bursts,
  streams,
  guesses,
  'guesses-after-restart': {
    ...guesses,
    what: 'the same after a restart of the server',
    serverStartsAgain: true,
  },
};
