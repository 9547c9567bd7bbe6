import type { Money } from '../kernel/money.js';
import type { ControlStore } from '../store/index.js';
import { TYPE_PREFIX } from './cloud-event.js';
import { readCursor, writeCursor } from './cursor.js';

export interface EventPage {
  /** CloudEvents, as they are delivered. */
  items: unknown[];
  hasMore: boolean;
  /** There on the last page too, so that a reader who has caught up knows where to go on; null = nothing yet. */
  nextCursor: string | null;
}

export interface ListEvents {
  after?: string | undefined;
  /** 1 to 200; 50 unless told otherwise. */
  limit?: number | undefined;
  /** Whole types; none = all. */
  types?: readonly string[] | undefined;
  /** The markets that the caller may see; undefined = all. Events that belong to no market are always seen. */
  markets?: readonly string[] | undefined;
}

/** One line of a subscription's story. */
export interface TimelineItem {
  /** The event's id. */
  id: string;
  /** Milliseconds. */
  at: number;
  /** Without prefix: `order.completed`. */
  type: string;
  /** `order`, `sms-message`. */
  resourceType: string;
  resourceId: string;
  summary: string;
  facts: { name: string; value: string }[];
  price?: Money;
}

export interface TimelinePage {
  items: TimelineItem[];
  hasMore: boolean;
  nextCursor: string | null;
}

export interface EventLog {
  /** A partner's events, the oldest first. */
  list(partnerId: string, query?: ListEvents): Promise<EventPage>;
  /** What happened to one subscription, the newest first. Whether the caller may see the subscription is asked before. */
  timeline(
    partnerId: string,
    subscriptionId: string,
    page?: { after?: string | undefined; limit?: number | undefined },
  ): Promise<TimelinePage>;
}

const PAGE_DEFAULT = 50;
const PAGE_MAX = 200;

const pageSize = (limit: number | undefined): number => Math.min(Math.max(1, limit ?? PAGE_DEFAULT), PAGE_MAX);

/** The reading side of the event log. */
export function createEventLog(control: ControlStore): EventLog {
  return {
    async list(partnerId, { after, limit, types, markets } = {}) {
      const take = pageSize(limit);
      const [from = 0] = after === undefined ? [] : readCursor(after, 1);
      const rows = await control.read.event.findMany({
        where: {
          partnerId,
          position: { gt: from },
          ...(types?.length ? { type: { in: types.map(withoutPrefix) } } : {}),
          ...(markets ? { OR: [{ market: null }, { market: { in: [...markets] } }] } : {}),
        },
        orderBy: { position: 'asc' },
        take: take + 1,
        select: { position: true, cloudEvent: true },
      });
      const page = rows.slice(0, take);
      const place = Number(page.at(-1)?.position ?? from);
      return {
        items: page.map((row): unknown => JSON.parse(row.cloudEvent)),
        hasMore: rows.length > take,
        nextCursor: place === 0 ? null : writeCursor(place),
      };
    },

    async timeline(partnerId, subscriptionId, { after, limit } = {}) {
      const take = pageSize(limit);
      const [beforeAt, beforePosition] = after === undefined ? [] : readCursor(after, 2);
      const older =
        beforeAt === undefined || beforePosition === undefined
          ? {}
          : { OR: [{ at: { lt: new Date(beforeAt) } }, { at: new Date(beforeAt), position: { lt: beforePosition } }] };
      const rows = await control.read.event.findMany({
        where: { partnerId, subscriptionId, ...older },
        orderBy: [{ at: 'desc' }, { position: 'desc' }],
        take: take + 1,
      });
      const page = rows.slice(0, take);
      const last = page.at(-1);
      const hasMore = rows.length > take;
      return {
        items: page.map((row) => ({
          id: row.id,
          at: row.at.getTime(),
          type: row.type,
          resourceType: row.type.split('.', 1)[0] ?? row.type,
          resourceId: row.subject,
          summary: row.summary,
          facts: JSON.parse(row.facts) as TimelineItem['facts'],
          ...(row.price === null ? {} : { price: JSON.parse(row.price) as Money }),
        })),
        hasMore,
        nextCursor: hasMore && last ? writeCursor(last.at.getTime(), Number(last.position)) : null,
      };
    },
  };
}

const withoutPrefix = (type: string): string => (type.startsWith(TYPE_PREFIX) ? type.slice(TYPE_PREFIX.length) : type);
