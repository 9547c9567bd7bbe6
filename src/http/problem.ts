import type { Request, Response } from 'express';
import { GatewayError } from '../kernel/errors.js';

/** The body of every failure: RFC 9457, and at the same time CAMARA's ErrorInfo (`status`, `code`, `message`). */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: string;
  message: string;
  correlator: string;
  hint?: string;
  documentationUrl?: string;
  errors?: { pointer: string; code: string; message: string }[];
}

export interface ProblemContext {
  correlator: string;
  /** The request's path without its query. */
  path: string;
}

/** Longer than any path of ours; the contract's bound of `instance`. */
const INSTANCE_MAX = 512;
const DETAIL_MAX = 512;

export function problemOf(failure: GatewayError, { correlator, path }: ProblemContext): Problem & Record<string, unknown> {
  const page = `/docs/errors/${failure.code}`;
  const detail = failure.detail.slice(0, DETAIL_MAX);
  return {
    type: page,
    title: failure.title,
    status: failure.status,
    detail,
    instance: instanceOf(path),
    code: failure.code,
    message: detail,
    correlator,
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    documentationUrl: page,
    ...(failure.errors === undefined ? {} : { errors: failure.errors }),
    ...failure.extra,
  };
}

/** The path as it came, except that a segment which is a bare number is not repeated: it may be somebody's. */
function instanceOf(path: string): string {
  const safe = path.replace(/(?<=\/)(?:\+|%2B)?[0-9]{5,}(?=\/|$)/gi, 'redacted').slice(0, INSTANCE_MAX);
  return /^[A-Za-z0-9\-._~!$&'()*+,;=:@/%]+$/.test(safe) && !/%(?![0-9A-Fa-f]{2})/.test(safe) ? safe : '/';
}

/** Sends a failure as `application/problem+json`, or as `application/json` when that is all the client accepts. */
export function sendProblem(request: Request, response: Response, failure: GatewayError, context: ProblemContext): void {
  response.set(failure.headers);
  // RFC 9110 §11.6.1: a 401 always says how to authenticate.
  if (failure.status === 401 && !response.hasHeader('www-authenticate')) response.set('WWW-Authenticate', 'Bearer realm="causeway"');
  const plain = request.accepts('application/problem+json') === false && request.accepts('application/json') !== false;
  const bytes = Buffer.from(JSON.stringify(problemOf(failure, context)));
  response.status(failure.status).set('Cache-Control', 'no-store');
  response.setHeader('Content-Type', plain ? 'application/json' : 'application/problem+json');
  response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
}

/** What the caller sees of a failure that nobody foresaw: nothing of it. */
export function asGatewayError(failure: unknown): GatewayError {
  if (failure instanceof GatewayError) return failure;
  return new GatewayError('INTERNAL', {
    detail: 'The request could not be served because of a fault on our side.',
    hint: 'Try again; if it stays, tell us the correlator.',
    cause: failure,
  });
}

/** The log's view of an unforeseen failure: its kind and place. Its message may quote what was being stored. */
export function describeFailure(failure: unknown): { failure: string; reason?: unknown; frames?: string[] } {
  if (!(failure instanceof Error)) return { failure: typeof failure };
  const frames = failure.stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12);
  const reason = failure.message.startsWith('assertion failed:') ? failure.message : Reflect.get(failure, 'code');
  return { failure: failure.name, ...(reason === undefined ? {} : { reason }), ...(frames ? { frames: frames.map((f) => f.trim()) } : {}) };
}
