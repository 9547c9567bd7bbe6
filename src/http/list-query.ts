import { decodeCursor, type PageRequest } from '../kernel/page.js';
import type { ApiRequest } from './route.js';

type Query = ApiRequest['query'];

/** A key of a list that is ordered by id. */
const ID_KEY = /^[a-z]{2,3}_[0-9a-hjkmnp-tv-z]{26}$/;

/**
 * `after` and `limit` of a list that is ordered by id; the contract has bounded `limit`.
 *
 * @throws GatewayError `INVALID_ARGUMENT` naming `/query/after`.
 */
export function pageRequest(query: Query): PageRequest {
  const after = query['after'];
  return { after: decodeCursor(after === undefined ? undefined : String(after), ID_KEY), limit: Number(query['limit'] ?? 50) };
}

/** The named query parameters that were given. */
export function filters<K extends string>(query: Query, ...names: K[]): { [P in K]?: string } {
  const given = names.filter((name) => query[name] !== undefined).map((name) => [name, String(query[name])]);
  return Object.fromEntries(given) as { [P in K]?: string };
}
