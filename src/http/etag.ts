import { createHash } from 'node:crypto';
import { GatewayError } from '../kernel/errors.js';
import type { ApiRequest } from './route.js';

/** A strong entity tag (RFC 9110 §8.8.3): the SHA-256 of the body's bytes. */
export const etagOfBytes = (bytes: Uint8Array | string): string => `"${createHash('sha256').update(bytes).digest('base64url')}"`;

/** The tag that a GET of this resource carries: routes build the same object for both. */
export const etagOf = (body: unknown): string => etagOfBytes(JSON.stringify(body));

/** If-None-Match (RFC 9110 §13.1.2) compares weakly: `W/` makes no difference. */
export function matchesNone(header: string | undefined, etag: string): boolean {
  if (header === undefined) return true;
  return header.trim() !== '*' && !tagsOf(header).some((tag) => tag.replace(/^W\//, '') === etag);
}

/**
 * Lets a change pass only when the caller has seen the resource as it is (RFC 9110 §13.1.1, RFC 6585 §3).
 *
 * @param current the resource as a GET would show it, or its entity tag (which begins with a quote).
 * @throws GatewayError `PRECONDITION_REQUIRED` without If-Match, `FAILED_PRECONDITION` when it is stale.
 */
export function requireIfMatch(request: Pick<ApiRequest<unknown>, 'header'>, current: unknown): void {
  const header = request.header('if-match');
  if (header === undefined) {
    const message = 'send the ETag of the resource as you last read it';
    throw new GatewayError('PRECONDITION_REQUIRED', {
      detail: 'This change needs an If-Match header.',
      hint: `Read the resource and ${message}.`,
      errors: [{ pointer: '/header/If-Match', code: 'required', message }],
    });
  }
  const etag = typeof current === 'string' && current.startsWith('"') ? current : etagOf(current);
  if (header.trim() === '*' || tagsOf(header).includes(etag)) return;
  throw new GatewayError('FAILED_PRECONDITION', {
    detail: 'The resource has changed since it was read.',
    hint: 'Read it again, look at the change, and send the new ETag.',
    errors: [{ pointer: '/header/If-Match', code: 'stale', message: 'is not the ETag of the resource as it is now' }],
  });
}

const tagsOf = (header: string): string[] => header.match(/(?:W\/)?"[^"]*"/g) ?? [];
