import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '../kernel/clock.js';
import { GatewayError, invalidField, notFound } from '../kernel/errors.js';
import { isId, newId } from '../kernel/ids.js';
import type { KeyWrap } from '../kernel/key-wrap.js';
import type { ControlStore, ControlTransaction } from '../store/index.js';
import { TYPE_PREFIX } from './cloud-event.js';
import { EVENT_TYPES } from './event-types.js';
import { hostOf, type Resolve, readSink, resolveSink, type SinkRules } from './sink-address.js';
import { keyOfPartner } from './webhook-keys.js';

export type WebhookScheme = 'v1' | 'v1a';

/** Where a partner's events go. */
export interface EventSubscription {
  id: string;
  sink: string;
  /** Whole types. */
  types: string[];
  scheme: WebhookScheme;
  status: 'active' | 'inactive';
  description?: string;
  /** Why it is inactive. */
  reason?: string;
  /** Milliseconds. */
  createdAt: number;
  updatedAt: number;
}

/** Who asks: a client that is narrowed to some markets sees, and makes, what concerns those only. */
export interface EventsCaller {
  partnerId: string;
  markets: readonly string[] | undefined;
}

export interface NewEventSubscription {
  sink: string;
  types: string[];
  scheme?: WebhookScheme | undefined;
  description?: string | undefined;
}

/** What verifies deliveries; shown once. */
export type Verification = { secret: string } | { keyId: string; publicKey: string };

export interface EventSubscriptions {
  /** Asks the resolver about the sink's name; outside of any transaction. @throws GatewayError `EVENTS.SINK_NOT_ALLOWED`. */
  checkSink(sink: string): Promise<void>;
  /** @throws GatewayError `EVENTS.SINK_NOT_ALLOWED`, `INVALID_ARGUMENT` for an unknown type, `QUOTA_EXCEEDED` past 50. */
  create(
    tx: ControlTransaction,
    caller: EventsCaller,
    wanted: NewEventSubscription,
  ): Promise<{ made: EventSubscription; verification: Verification }>;
  list(
    caller: EventsCaller,
    page: { after?: string | undefined; limit?: number | undefined },
  ): Promise<{ items: EventSubscription[]; hasMore: boolean; nextCursor: string | null }>;
  /** @throws GatewayError `NOT_FOUND`. */
  get(caller: EventsCaller, id: string): Promise<EventSubscription>;
  /** Ends it: what still waits is not sent. @throws GatewayError `NOT_FOUND`. */
  remove(caller: EventsCaller, id: string): Promise<void>;
}

/** Every append looks at all of a partner's endpoints. */
const ENDPOINTS_MAX = 50;

export const secretPurpose = (id: string): string => `webhook-secret:${id}`;
type Row = NonNullable<Awaited<ReturnType<ControlStore['read']['eventSubscription']['findUnique']>>>;

export function fromRow(row: Row): EventSubscription {
  return {
    id: row.id,
    sink: row.sink,
    types: JSON.parse(row.types) as string[],
    scheme: row.scheme === 'v1a' ? 'v1a' : 'v1',
    status: row.status === 'active' ? 'active' : 'inactive',
    ...(row.description === null ? {} : { description: row.description }),
    ...(row.statusReason === null ? {} : { reason: row.statusReason }),
    createdAt: row.createdAt.getTime(),
    updatedAt: row.updatedAt.getTime(),
  };
}

export function createEventSubscriptions(options: {
  control: ControlStore;
  clock: Clock;
  keyWrap: KeyWrap;
  rules: SinkRules;
  resolve: Resolve;
}): EventSubscriptions {
  const { control, clock, keyWrap, rules, resolve } = options;

  const visible = (caller: EventsCaller, row: Row): boolean =>
    caller.markets === undefined ||
    (row.markets !== null && (JSON.parse(row.markets) as string[]).every((market) => caller.markets?.includes(market)));

  async function find(caller: EventsCaller, id: string): Promise<Row> {
    const row = await control.read.eventSubscription.findFirst({ where: { id, partnerId: caller.partnerId } });
    if (!row || !visible(caller, row)) throw notFound('event subscription');
    return row;
  }

  return {
    async checkSink(sink) {
      const host = hostOf(readSink(sink, rules));
      if (isIP(host) === 0) await resolveSink(host, resolve, rules);
    },

    async create(tx, { partnerId, markets }, { sink, types, scheme = 'v1', description }) {
      readSink(sink, rules);
      types.forEach((type, index) => {
        if (!type.startsWith(TYPE_PREFIX) || !EVENT_TYPES.has(type.slice(TYPE_PREFIX.length))) {
          throw invalidField(`/types/${index}`, 'is not an event type; the documentation lists them');
        }
      });
      if ((await tx.eventSubscription.count({ where: { partnerId } })) >= ENDPOINTS_MAX) {
        throw new GatewayError('QUOTA_EXCEEDED', {
          detail: `A partner has at most ${ENDPOINTS_MAX} event subscriptions.`,
          hint: 'Delete one that is not used.',
        });
      }
      const now = clock.now();
      const id = newId('whe', now);
      const secret = `whsec_${randomBytes(32).toString('base64')}`;
      const key = scheme === 'v1a' ? await keyOfPartner(tx, partnerId, { keyWrap, clock }) : undefined;
      const row = await tx.eventSubscription.create({
        data: {
          id,
          partnerId,
          markets: markets ? JSON.stringify(markets) : null,
          sink,
          types: JSON.stringify(types),
          scheme,
          secret: key ? null : keyWrap.wrap(Buffer.from(secret), secretPurpose(id)),
          keyId: key?.id ?? null,
          description: description ?? null,
          status: 'active',
          consecutiveFailures: 0,
          version: 1,
          createdAt: new Date(now),
          updatedAt: new Date(now),
        },
      });
      const publicKey = key ? `whpk_${Buffer.from(key.publicKey, 'base64url').toString('base64')}` : '';
      return { made: fromRow(row), verification: key ? { keyId: key.id, publicKey } : { secret } };
    },

    async list(caller, { after, limit = 50 }) {
      const last = after === undefined ? '' : Buffer.from(after, 'base64url').toString('latin1');
      if (after !== undefined && !isId('whe', last)) throw invalidField('/query/after', 'is not a cursor that this list handed out');
      const rows = await control.read.eventSubscription.findMany({
        where: { partnerId: caller.partnerId, id: { gt: last } },
        orderBy: { id: 'asc' },
      });
      const seen = rows.filter((row) => visible(caller, row));
      const items = seen.slice(0, limit).map(fromRow);
      const hasMore = seen.length > items.length;
      return { items, hasMore, nextCursor: hasMore ? Buffer.from(items.at(-1)?.id ?? '').toString('base64url') : null };
    },

    get: async (caller, id) => fromRow(await find(caller, id)),

    async remove(caller, id) {
      await find(caller, id);
      await control.transact(async (tx) => {
        const { count } = await tx.eventSubscription.deleteMany({ where: { id, partnerId: caller.partnerId } });
        if (count === 0) throw notFound('event subscription');
        await cancelPending(tx, id, clock.now());
      });
    },
  };
}

/** What waits for an endpoint that takes no more is not sent; the partner catches up by `GET /v1/events`. */
export async function cancelPending(tx: ControlTransaction, eventSubscriptionId: string, now: number): Promise<void> {
  await tx.webhookDelivery.updateMany({
    where: { eventSubscriptionId, status: 'pending' },
    data: { status: 'cancelled', leaseOwner: null, leaseToken: null, settledAt: new Date(now) },
  });
}
