import type { Catalogue } from '../catalogue/index.js';
import type { Events } from '../events/index.js';
import { type Clock, toRfc3339 } from '../kernel/clock.js';
import { isGatewayError, notFound } from '../kernel/errors.js';
import type { PartnerRegistry } from '../partners/index.js';
import type { SubscriptionEntitlements } from '../provisioning/index.js';
import type { ControlStore } from '../store/index.js';
import type { Subscription } from '../store/models.js';
import { type Origin, writeAudit } from './audit.js';
import { type Person, seenBy } from './roles.js';
import { showLine, showLineSummary, showStep } from './show-line.js';

export interface LinesOptions {
  control: ControlStore;
  clock: Clock;
  events: Pick<Events, 'timeline'>;
  catalogue: Pick<Catalogue, 'get'>;
  entitlements: Pick<SubscriptionEntitlements, 'show'>;
  partners: Pick<PartnerRegistry, 'get'>;
}

/** How long a page may show numbers that were revealed. */
export const REVEAL_MS = 60_000;
const RECENT = 8;

/** What the portal shows of lines, each to whoever may see it. */
export function createLines({ control, clock, events, catalogue, entitlements, partners }: LinesOptions) {
  /** @throws GatewayError `NOT_FOUND`, for a stranger's too. */
  async function get(person: Person, id: string): Promise<Subscription> {
    const line = await control.read.subscription.findFirst({ where: { ...seenBy(person), id } });
    if (!line) throw notFound('subscription');
    return line;
  }

  const imsiOf = async ({ simId }: Subscription): Promise<string | undefined> =>
    (await control.read.sim.findUnique({ where: { id: simId } }))?.imsi ?? undefined;

  async function planOf({ partnerId, planId }: Subscription) {
    try {
      return await catalogue.get({ partnerId, markets: undefined }, planId);
    } catch (failure) {
      if (isGatewayError(failure, 'NOT_FOUND')) return undefined;
      throw failure;
    }
  }

  return {
    get,
    async card(person: Person, id: string) {
      const line = await get(person, id);
      const [plan, imsi, granted] = await Promise.all([planOf(line), imsiOf(line), entitlements.show([id])]);
      return showLine(line, { plan, imsi, entitlements: granted.get(id) ?? [] }, partners);
    },
    /** The newest lines, for a first look. */
    async recent(person: Person) {
      const lines = await control.read.subscription.findMany({ where: seenBy(person), orderBy: { id: 'desc' }, take: RECENT });
      return lines.map(showLineSummary);
    },
    async timeline(person: Person, id: string, page: { after?: string; limit: number }) {
      const { partnerId } = await get(person, id);
      const { items, ...rest } = await events.timeline(partnerId, id, page);
      return { ...rest, items: items.map(showStep) };
    },
    /** The whole numbers. Who looked is on the disk before they are answered. */
    async reveal(person: Person, id: string, from: Origin) {
      const line = await get(person, id);
      const imsi = await imsiOf(line);
      await control.transact(async (tx) => {
        const about = { partnerId: line.partnerId, actorId: person.userId, action: 'subscription.revealed', subject: id } as const;
        await writeAudit(tx, clock, { ...about, ...from });
      });
      const numbers = { msisdn: line.msisdn, iccid: line.iccid, ...(imsi !== undefined && { imsi }) };
      return { ...numbers, expiresAt: toRfc3339(clock.now() + REVEAL_MS), expiresInMs: REVEAL_MS };
    },
  };
}

export type Lines = ReturnType<typeof createLines>;
