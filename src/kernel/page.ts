import { invalidField } from './errors.js';

/** One page of a list, as every list of the API answers. */
export interface Page<T> {
  items: T[];
  hasMore: boolean;
  /** What to pass as `after` for the next page; null on the last. */
  nextCursor: string | null;
}

export interface PageRequest {
  /** The sort key of the last item that the caller has seen. */
  after: string | undefined;
  limit: number;
}

/** A cursor is opaque to callers: what it holds may change. */
export const encodeCursor = (key: string): string => Buffer.from(key, 'utf8').toString('base64url');

/**
 * @param pattern what a key of this list looks like.
 * @throws GatewayError `INVALID_ARGUMENT` naming `/query/after` for anything that this list never handed out.
 */
export function decodeCursor(cursor: string | undefined, pattern: RegExp): string | undefined {
  if (cursor === undefined) return undefined;
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!pattern.test(key)) throw invalidField('/query/after', 'is not a cursor of this list; pass the nextCursor of the page before');
  return key;
}

/**
 * A page from rows that were read with `limit + 1`, so that whether there is more needs no second query.
 *
 * @param keyOf the sort key, which `decodeCursor` gives back.
 */
export function pageOf<Row, T>(rows: readonly Row[], limit: number, keyOf: (row: Row) => string, show: (row: Row) => T): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = rows.length > limit;
  return { items: shown.map(show), hasMore, nextCursor: hasMore && last !== undefined ? encodeCursor(keyOf(last)) : null };
}
