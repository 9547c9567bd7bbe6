import { GatewayError } from '../kernel/errors.js';

/** Another transaction was in the way, and the same one goes through when it is tried again: serialization, deadlock; Prisma's word. */
const IN_THE_WAY = /^(40001|40P01|P2034|TransactionWriteConflict)$/;

/**
 * The connection or the server is away, and nothing that had not been committed is there: SQLSTATE classes 08 and 57P, too
 * many connections, a transaction that stood idle; Node's words for a socket; Prisma's for both.
 */
const AWAY =
  /^(08...|57P0[1-5]|53300|25P03|E(CONNRESET|CONNREFUSED|CONNABORTED|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NOTFOUND)|EAI_AGAIN|P100[128]|P1017|P2037|DatabaseNotReachable|ConnectionClosed|SocketTimeout|TooManyConnections)$/;
/** What the driver says without a code. */
const AWAY_WORDS =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client (was closed|has encountered))/;

/** It cannot be written now and trying again at once would not help: SQLite's result codes, the server's disk is full, it has become read-only, or it is too slow. */
const UNWRITABLE = /^(SQLITE_(FULL|IOERR|READONLY|BUSY|CANTOPEN)|53|25006$|57014$|P2024$|P2028$)/;
/** Prisma passes SQLite's words on, without its code. */
const UNWRITABLE_WORDS = /database or disk is full|disk I\/O error|attempt to write a readonly database|unable to open database file/;

/** Whether a transaction was committed cannot be found out. */
export const OUTCOME_UNKNOWN = 'OUTCOME_UNKNOWN';

interface Words {
  code?: unknown;
  originalCode?: unknown;
  kind?: unknown;
  message?: unknown;
  cause?: unknown;
  errors?: unknown;
  meta?: { driverAdapterError?: unknown };
}

/** The failure and what is in it: Prisma holds the adapter's, that the driver's; a host with several addresses fails with several. */
function layers(failure: unknown): Words[] {
  if (typeof failure !== 'object' || failure === null) return [];
  const words: Words = failure;
  const first: unknown = Array.isArray(words.errors) ? words.errors[0] : undefined;
  return [words, ...[words.cause, first, words.meta?.driverAdapterError].flatMap(layers)];
}

const says = (failure: unknown, codes: RegExp, sentences?: RegExp): boolean =>
  layers(failure).some(
    ({ code, originalCode, kind, message }) =>
      [code, originalCode, kind].some((word) => typeof word === 'string' && codes.test(word)) ||
      (typeof message === 'string' && sentences?.test(message) === true),
  );

export const isInTheWay = (failure: unknown): boolean => says(failure, IN_THE_WAY);

export const isAway = (failure: unknown): boolean => says(failure, AWAY, AWAY_WORDS);

/**
 * A full disk, a folder that became read-only or a database that went away, as 503: the caller's request was right, and
 * nothing of it was stored; where that is not certain, the words say so. Any other failure comes back as it is.
 */
export function asUnavailable(failure: unknown): unknown {
  if (failure instanceof GatewayError) return failure;
  const { code, message } = failure as { code?: string; message?: string };
  const isUnknown = code === OUTCOME_UNKNOWN;
  if (!isUnknown && !isAway(failure) && !isInTheWay(failure) && !says(failure, UNWRITABLE, UNWRITABLE_WORDS)) return failure;
  return new GatewayError('UNAVAILABLE', {
    detail: isUnknown
      ? 'The store went away while it was storing this; it may be there or not.'
      : 'The store cannot be written at the moment; nothing was stored.',
    hint: isUnknown
      ? 'Send the same request again, with the same idempotency key.'
      : 'Send the same request again after the time in Retry-After, with the same Idempotency-Key.',
    internal: String(code ?? message),
    headers: { 'Retry-After': '5' },
    cause: failure,
  });
}
