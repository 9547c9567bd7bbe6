import { GatewayError } from '../kernel/errors.js';

/** SQLite's result codes (with their extended forms) and PostgreSQL's SQLSTATE classes for "it cannot be written now". */
const CODES = /^(SQLITE_(FULL|IOERR|READONLY|BUSY|CANTOPEN)|53|57P|08)/;
/** Prisma passes the driver's words on, without its code. */
const WORDS = /database or disk is full|disk I\/O error|attempt to write a readonly database|unable to open database file/;

/**
 * A full disk, a folder that became read-only or a database that went away, as 503: the caller's request was right, and
 * nothing of it was stored. Any other failure comes back as it is.
 */
export function asUnavailable(failure: unknown): unknown {
  const { code, message } = failure as { code?: string; message?: string };
  if (!CODES.test(code ?? '') && !WORDS.test(message ?? '')) return failure;
  return new GatewayError('UNAVAILABLE', {
    detail: 'The store cannot be written at the moment; nothing was stored.',
    internal: String(code ?? message),
    headers: { 'Retry-After': '5' },
    cause: failure,
  });
}
