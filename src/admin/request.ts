import type { Request, Response } from 'express';
import { z } from 'zod';
import { parseStrictJson, readBytes } from '../http/index.js';
import { GatewayError } from '../kernel/errors.js';
import type { Origin } from './audit.js';

/** Larger than any body of the portal. */
const BODY_BYTES_MAX = 8_192;

/**
 * A JSON body that fits the schema.
 *
 * @throws GatewayError `UNSUPPORTED_MEDIA_TYPE`, `PAYLOAD_TOO_LARGE`, `INVALID_ARGUMENT` naming each bad member and no value.
 */
export async function readBody<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  if (!/^application\/json\s*(;|$)/i.test(request.get('content-type') ?? '')) {
    throw new GatewayError('UNSUPPORTED_MEDIA_TYPE', { detail: 'The body must be application/json.' });
  }
  const parsed = schema.safeParse(parseStrictJson(await readBytes(request, BODY_BYTES_MAX)));
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, 10).map((issue) => ({
    pointer: issue.path.map((step) => `/${String(step)}`).join(''),
    code: issue.code,
    message: 'is missing, too long, or not of the right kind',
  }));
  throw new GatewayError('INVALID_ARGUMENT', { detail: 'The request is not valid.', errors });
}

export const signInBody = z.strictObject({ email: z.string().min(1).max(254), password: z.string().min(1).max(256) });
export const searchBody = z.strictObject({ query: z.string().min(1).max(200) });

export const originOf = (request: Request, response: Response): Origin => ({
  address: request.socket.remoteAddress ?? 'unknown',
  correlator: String(response.locals['correlator']),
});
