/** What may come back on an HTTP connection, whatever was sent on it. */

const STATUSES = [
  100, 101, 200, 202, 204, 304, 400, 401, 403, 404, 405, 408, 412, 413, 415, 417, 421, 426, 429, 431,
];
const HEAD_END = '\r\n\r\n';
/** Names of what runs here, places in the source, and the token that may read everything. */
const LEAKS =
  /\bat .*:\d+:\d+|node:|node_modules|\.ts\b|ENOENT|SyntaxError|TypeError|^server:|^x-powered-by:/im;
const JSON_TYPE = /^content-type: application\/json$/im;
const CORS = /^access-control-allow-origin:/im;

export interface HttpAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** The answers in what came back, the last perhaps cut short. @throws Error for bytes that are not an answer of this server */
export function answersIn(bytes: Buffer): HttpAnswer[] {
  const answers: HttpAnswer[] = [];
  for (let rest = bytes.toString('latin1'); rest !== ''; ) {
    const headEnd = rest.indexOf(HEAD_END);
    if (headEnd === -1) break;
    const head = rest.slice(0, headEnd);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    rest = rest.slice(headEnd + HEAD_END.length);
    const body = bodyAfter(head, status, rest);
    rest = rest.slice(body.length);
    const answer = { status, head, body };
    judge(answer);
    answers.push(answer);
  }
  return answers;
}

function bodyAfter(head: string, status: number, rest: string): string {
  // Of an answer to HEAD nothing but the next answer follows.
  if (status < 200 || status === 204 || status === 304 || rest.startsWith('HTTP/1.1 ')) return '';
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  if (length !== undefined) return rest.slice(0, Number(length));
  const next = rest.indexOf('\r\n0\r\n\r\n');
  return next === -1 ? rest : rest.slice(0, next + '\r\n0\r\n\r\n'.length);
}

function judge({ status, head, body }: HttpAnswer): void {
  const wrong = (what: string) => new Error(`${what}: ${head}${HEAD_END}${body.slice(0, 500)}`);
  if (!STATUSES.includes(status)) throw wrong(`status ${status}`);
  if (LEAKS.test(head) || (status >= 400 && LEAKS.test(body))) throw wrong('it tells of the server');
  if (CORS.test(head)) throw wrong('it lets another origin in');
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
  // The library for WebSocket refuses a handshake in words of its own.
  if (status < 400 || body === '' || body.length < length || !JSON_TYPE.test(head)) return;
  const { type, message } = JSON.parse(body) as Record<string, unknown>;
  if (typeof type !== 'string' || typeof message !== 'string') throw wrong('no error as they are');
}
