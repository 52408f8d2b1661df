/**
 * Bare Polka: `GET /document` answers a constant, `PUT /document` parses and echoes. The constant is its argument. With
 * a Content-Length, because Node would send the answers in chunks and slower without.
 */

import type { ServerResponse } from 'node:http';
import polka from 'polka';

const constant = process.argv[2] ?? '{}';

const answer = (response: ServerResponse, json: string): void => {
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(json) };
  response.writeHead(200, headers).end(json);
};

const app = polka()
  .get('/document', (_request, response) => answer(response, constant))
  .put('/document', (request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => answer(response, JSON.stringify(JSON.parse(body))));
  });

app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify(app.server?.address()));
});
