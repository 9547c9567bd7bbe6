import { type Clock, type DomainClock, toRfc3339 } from '../../kernel/clock.js';
import { invalidField } from '../../kernel/errors.js';
import type { Page } from '../../kernel/page.js';
import type { Scope } from '../../provisioning/index.js';
import type { ControlStore, ControlTransaction } from '../../store/index.js';
import type { Entitlement } from '../../store/models.js';
import { showWithNumber } from './show.js';

export type EntitlementChangeKind = 'granted' | 'updated' | 'ended';

export interface FeedRequest {
  /** What the list handed out as `nextCursor` or `changesCursor`. */
  after: string | undefined;
  limit: number;
}

export interface Snapshot extends Page<ReturnType<typeof showWithNumber>> {
  asOf: string;
  changesCursor: string;
}

export interface ShownChange {
  cursor: string;
  at: string;
  change: string;
  entitlement: unknown;
}

export interface Feed {
  /** Every entitlement that has not ended, page by page; all pages of one reading carry the same `changesCursor`. */
  snapshot(scope: Scope, request: FeedRequest): Promise<Snapshot>;
  /** What was committed after a position, oldest first, each with the whole entitlement as it was then. */
  changes(scope: Scope, request: FeedRequest): Promise<Page<ShownChange>>;
  /**
   * Writes a change in the caller's transaction, which must have made its reports before: the event log's counter is
   * always taken first, so that two transactions never wait for each other.
   */
  record(tx: ControlTransaction, change: EntitlementChangeKind, row: Entitlement, msisdn: string): Promise<void>;
}

/**
 * A mirror of the entitlements for policy systems: the snapshot, then the changes from its cursor. The cursor is taken
 * before the first page is read, so a change during the reading comes again as a change, and nothing is missed.
 */
export function createFeed({ control, clock, domainClock }: { control: ControlStore; clock: Clock; domainClock: DomainClock }): Feed {
  const lastPosition = async (partnerId: string): Promise<number> =>
    Number((await control.read.entitlementCounter.findUnique({ where: { partnerId } }))?.position ?? 0);

  return {
    async snapshot(scope, { after, limit }) {
      const begun = after === undefined ? { position: await lastPosition(scope.partnerId), at: clock.now(), id: '' } : readPlace(after);
      const rows = await control.read.entitlement.findMany({
        where: { ...visible(scope), status: { not: 'ended' }, id: { gt: begun.id } },
        orderBy: { id: 'asc' },
        take: limit + 1,
      });
      const shown = rows.slice(0, limit);
      const lines = await control.read.subscription.findMany({
        where: { id: { in: shown.map((row) => row.subscriptionId) } },
        select: { id: true, msisdn: true },
      });
      const numbers = new Map(lines.map(({ id, msisdn }) => [id, msisdn]));
      const hasMore = rows.length > limit;
      const last = shown.at(-1);
      return {
        items: shown.map((row) => showWithNumber(row, numbers.get(row.subscriptionId) ?? '')),
        hasMore,
        nextCursor: hasMore && last ? encode(`${begun.position}.${begun.at}.${last.id}`) : null,
        asOf: toRfc3339(begun.at),
        changesCursor: writePosition(begun.position),
      };
    },
    async changes(scope, { after, limit }) {
      const from = after === undefined ? 0 : readPosition(after);
      const seen = await lastPosition(scope.partnerId);
      const rows = await control.read.entitlementChange.findMany({
        where: { ...visible(scope), position: { gt: from, lte: seen } },
        orderBy: { position: 'asc' },
        take: limit + 1,
      });
      const shown = rows.slice(0, limit);
      const hasMore = rows.length > limit;
      // Where nothing more is to be seen, all up to `seen` has been looked at, other markets' changes included.
      const reached = hasMore ? Number(shown.at(-1)?.position ?? from) : Math.max(from, seen);
      return {
        items: shown.map((row) => ({
          cursor: writePosition(Number(row.position)),
          at: toRfc3339(row.at.getTime()),
          change: row.change,
          entitlement: JSON.parse(row.entitlement) as unknown,
        })),
        hasMore,
        nextCursor: reached === 0 ? null : writePosition(reached),
      };
    },
    async record(tx, change, row, msisdn) {
      const { partnerId, market } = row;
      const { position } = await tx.entitlementCounter.upsert({
        where: { partnerId },
        create: { partnerId, position: 1 },
        update: { position: { increment: 1 } },
      });
      const entitlement = JSON.stringify(showWithNumber(row, msisdn));
      const at = new Date(domainClock.now(partnerId));
      await tx.entitlementChange.create({ data: { partnerId, position, market, entitlementId: row.id, change, at, entitlement } });
    },
  };
}

const visible = ({ partnerId, markets }: Scope) => ({ partnerId, ...(markets && { market: { in: [...markets] } }) });

const encode = (text: string): string => Buffer.from(text, 'latin1').toString('base64url');
const decode = (cursor: string): string => (cursor.length <= 200 ? Buffer.from(cursor, 'base64url').toString('latin1') : '');
const notOurs = () => invalidField('/query/after', 'is not a cursor that this list handed out');

const writePosition = (position: number): string => encode(String(position));

function readPosition(cursor: string): number {
  const text = decode(cursor);
  if (!/^\d{1,15}$/.test(text)) throw notOurs();
  return Number(text);
}

function readPlace(cursor: string): { position: number; at: number; id: string } {
  const [, position, at, id] = /^(\d{1,15})\.(\d{1,15})\.(ent_[0-9a-hjkmnp-tv-z]{26})$/.exec(decode(cursor)) ?? [];
  if (id === undefined || Number(at) > 8_640_000_000_000_000) throw notOurs();
  return { position: Number(position), at: Number(at), id };
}
