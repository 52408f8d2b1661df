/**
 * Bare Polka: `GET /document` answers a constant, `PUT /document` parses and echoes. Its arguments are the constant and,
 * for TLS, a file in PEM with a certificate and its key. With a Content-Length, because Node would send the answers in
 * chunks and slower without.
 */

import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import polka from 'polka';

const [constant = '{}', file] = process.argv.slice(2);
const pem = file === undefined ? undefined : readFileSync(file);

const answer = (response: ServerResponse, json: string): void => {
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(json) };
  response.writeHead(200, headers).end(json);
};

const app = polka({ server: pem === undefined ? createServer() : createTlsServer({ cert: pem, key: pem }) })
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
