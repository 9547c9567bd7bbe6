import type { Fallback, Order, SmsMessage } from '../../sdks/typescript/index.js';
import { patiently } from '../demo/patience.js';
import type { AnsweredFallback } from './ledger.js';
import type { Partner } from './reach.js';

/** An event of the log. */
export interface LoggedEvent {
  readonly id: string;
  /** Without prefix: `order.completed`. */
  readonly type: string;
  readonly subject: string;
  readonly sequence: number;
  readonly resource: Readonly<Record<string, unknown>>;
}

/** What the gateway says is there. */
export interface Books {
  readonly orders: readonly Order[];
  readonly events: readonly LoggedEvent[];
  /** By id; undefined where there is none. */
  readonly fallbacks: ReadonlyMap<string, Fallback | undefined>;
  readonly sms: ReadonlyMap<string, SmsMessage | undefined>;
  readonly offsetSeconds: number;
}

/** Reads the books again and again; of the events only what is new. */
export interface BookReader {
  read(fallbacks: readonly AnsweredFallback[]): Promise<Books>;
}

const PAGE = 200;
const AT_ONCE = 8;

export function createBookReader(partner: Partner): BookReader {
  const events: LoggedEvent[] = [];
  let cursor: string | undefined;

  async function readEvents(): Promise<void> {
    for (let hasMore = true; hasMore; ) {
      const query = { limit: PAGE, ...(cursor !== undefined && { after: cursor }) };
      const page = await patiently(() => partner.listEvents({ query }));
      events.push(...page.items.map(eventOf));
      cursor = page.nextCursor ?? cursor;
      ({ hasMore } = page);
    }
  }

  async function readOrders(): Promise<Order[]> {
    return patiently(async () => {
      const orders: Order[] = [];
      for await (const order of partner.listOrders.items({ query: { limit: PAGE } })) orders.push(order);
      return orders;
    });
  }

  return {
    async read(answered) {
      await readEvents();
      const fallbacks = await readEach(
        answered.map(({ fallbackId }) => fallbackId),
        (fallbackId) => partner.getFallback({ path: { fallbackId } }),
      );
      const smsIds = new Set([...fallbacks.values()].flatMap((fallback) => fallback?.smsId ?? []));
      for (const { type, subject } of events) if (type.startsWith('sms.')) smsIds.add(subject);
      const sms = await readEach([...smsIds], (smsId) => partner.getSmsMessage({ path: { smsId } }));
      const { offsetSeconds } = await patiently(() => partner.getSandboxClock());
      return { orders: await readOrders(), events, fallbacks, sms, offsetSeconds };
    },
  };
}

/** Looks each up, several at a time; undefined where there is none. */
async function readEach<T>(ids: readonly string[], get: (id: string) => Promise<T>): Promise<Map<string, T | undefined>> {
  const found = new Map<string, T | undefined>();
  const left = [...ids];
  async function reader(): Promise<void> {
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      const asked = id;
      try {
        found.set(asked, await patiently(() => get(asked)));
      } catch (failure) {
        if ((failure as { status?: number }).status !== 404) throw failure;
        found.set(asked, undefined);
      }
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, reader));
  return found;
}

function eventOf(event: object): LoggedEvent {
  const { id, type, subject, sequence, data } = event as {
    id: string;
    type: string;
    subject: string;
    sequence: string;
    data: { resource?: object };
  };
  return { id, type: type.replace('com.causeway.v1.', ''), subject, sequence: Number(sequence), resource: { ...data.resource } };
}
