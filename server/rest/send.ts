import type { ServerResponse } from 'node:http';

/** Of every answer that is no page: nobody keeps it, takes it for another type, or is told where it led. */
export const ANSWER_HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
} as const;

/** Exactly `application/json`: the official SDK parses nothing else. */
export function sendJson(
  res: ServerResponse,
  status: number,
  json: string,
  headers?: Record<string, string>,
): void {
  if (res.writableEnded || res.destroyed) return;
  res.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(json),
    ...ANSWER_HEADERS,
    ...headers,
  });
  res.end(json);
}

/** An answer without a body. */
export function sendEmpty(res: ServerResponse, status: number, headers?: Record<string, string>): void {
  if (res.writableEnded || res.destroyed) return;
  res.writeHead(status, { ...ANSWER_HEADERS, ...headers }).end();
}
