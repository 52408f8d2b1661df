/**
 * Readers of event streams, one for each device, and writers that change each device's document once a second. Reads a
 * {@link StreamsJob} from standard input, and prints a {@link StreamsResult}.
 */

import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { TOKEN_HEADER } from '../../../shared/rest.js';
import { BASE, documentPath } from '../server.js';
import type { StreamsJob, StreamsResult } from './job.js';

const SECOND_MS = 1000;
const WRITERS = 64;
/** The writes begin together with the streams, and these first seconds do not count. */
const WARM_UP_MS = 2000;

const { host, port, token, ids, seconds }: StreamsJob = JSON.parse(await text(process.stdin));
const headers = { [TOKEN_HEADER]: token };
const delays: number[] = [];
let countsFrom = Number.POSITIVE_INFINITY;

/** Resolves when the present state has come. */
function open(id: string): Promise<void> {
  return new Promise((opened, failed) => {
    const asked = request({ host, port, path: `${BASE}/twins/${id}/events`, headers, agent: false });
    asked.once('error', failed);
    asked.once('response', (answer) => {
      if (answer.statusCode !== 200) return failed(new Error(`no stream: ${answer.statusCode}`));
      let rest = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        opened();
        const lines = (rest + piece).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.startsWith('data:')) hear(line);
      });
    });
    asked.end();
  });
}

function hear(line: string): void {
  const [, sent] = /"sent":([\d.]+)/.exec(line) ?? [];
  if (sent !== undefined && Number(sent) >= countsFrom) delays.push(performance.now() - Number(sent));
}

const writing = new Agent({ keepAlive: true, maxSockets: WRITERS });

function write(id: string): void {
  const options = { host, port, path: documentPath(id, 'current'), method: 'PUT', headers, agent: writing };
  const asked = request(options, (answer) => answer.resume());
  asked.end(JSON.stringify({ data: { sent: performance.now() } }));
}

for (let first = 0; first < ids.length; first += WRITERS)
  await Promise.all(ids.slice(first, first + WRITERS).map(open));

const began = performance.now();
countsFrom = began + WARM_UP_MS;
const end = countsFrom + seconds * SECOND_MS;
let written = 0;
const timer = setInterval(() => {
  const now = performance.now();
  const due = Math.floor(((now - began) / SECOND_MS) * ids.length);
  for (; written < due; written += 1) write(ids[written % ids.length] as string);
  if (now < end) return;
  clearInterval(timer);
  setTimeout(report, SECOND_MS);
}, 1);

function report(): void {
  const result: StreamsResult = { delays, expected: ids.length * seconds };
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
}
