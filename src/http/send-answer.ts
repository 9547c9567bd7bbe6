import type { Request, Response } from 'express';
import type { Operation } from './contract.js';
import { etagOfBytes, matchesNone } from './etag.js';
import type { Answer } from './route.js';

/**
 * Writes a route's answer. A body is sent as JSON unless it is text whose `content-type` the route named. Where the
 * contract declares an ETag it is made of the body's bytes, and a GET whose If-None-Match names it gets 304.
 */
export function sendAnswer(request: Request, response: Response, operation: Operation, answer: Answer): void {
  const headers = Object.fromEntries(Object.entries(answer.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const type = headers['content-type'];
  delete headers['content-type'];
  response.status(answer.status).set(headers);
  if (response.getHeader('cache-control') === undefined)
    response.set('Cache-Control', operation.audience === 'public' ? 'no-cache' : 'private, no-cache');
  if (answer.body === undefined) {
    response.end();
    return;
  }
  const asIs = typeof answer.body === 'string' && type !== undefined ? answer.body : undefined;
  const bytes = Buffer.from(asIs ?? JSON.stringify(answer.body));
  if (operation.etagStatuses.has(String(answer.status))) {
    const etag = headers['etag'] ?? etagOfBytes(bytes);
    response.set('ETag', etag);
    if (operation.method === 'GET' && answer.status === 200 && !matchesNone(request.headers['if-none-match'], etag)) {
      response.status(304).end();
      return;
    }
  }
  // Not `set`, which adds a charset to application/json; RFC 8259 defines none.
  response.setHeader('Content-Type', type ?? 'application/json');
  response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
}
