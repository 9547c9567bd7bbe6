import type { Fallback } from '../engine/index.js';
import { isGatewayError } from '../kernel/errors.js';
import { type IdPrefix, isId } from '../kernel/ids.js';
import type { ControlStore } from '../store/index.js';
import type { Subscription } from '../store/models.js';
import { type Person, seenBy } from './roles.js';

/** What the text looks like; `unknown` when it is nothing that a line can be found by. */
export type QueryKind = 'id' | 'msisdn' | 'iccid' | 'imsi' | 'unknown';

export interface FindLinesOptions {
  control: ControlStore;
  partnerIds(): readonly string[];
  /** @throws GatewayError `NOT_FOUND`. */
  smsOf(scope: { partnerId: string; markets: readonly string[] | undefined }, smsId: string): Promise<{ subscriptionId?: string }>;
  fallbackOf(fallbackId: string, partnerId: string): Promise<Pick<Fallback, 'subscriptionId'> | undefined>;
}

export interface Found {
  kind: QueryKind;
  /** The line that holds the number now first, then the newest. */
  lines: Subscription[];
}

/** Lines of one number over the years that are shown at once. */
const LINES_MAX = 10;

/** Finds the lines that a pasted text leads to: any id of ours that belongs to a line, or one of the line's numbers. */
export function createFindLines({ control, partnerIds, smsOf, fallbackOf }: FindLinesOptions) {
  const { read } = control;

  async function byNumber(person: Person, where: { msisdn?: string; iccid?: string; imsi?: string }): Promise<Subscription[]> {
    const { imsi, ...direct } = where;
    const sims = imsi === undefined ? undefined : await read.sim.findMany({ where: { ...seenBy(person), imsi }, select: { id: true } });
    const rows = await read.subscription.findMany({
      where: { ...seenBy(person), ...direct, ...(sims && { simId: { in: sims.map((sim) => sim.id) } }) },
      orderBy: { id: 'desc' },
      take: LINES_MAX,
    });
    return rows.sort((a, b) => Number(b.liveMsisdn !== null) - Number(a.liveMsisdn !== null));
  }

  async function byIds(person: Person, ids: readonly (string | null | undefined)[]): Promise<Subscription[]> {
    const wanted = [...new Set(ids.filter((id) => typeof id === 'string'))].slice(0, LINES_MAX);
    if (wanted.length === 0) return [];
    return read.subscription.findMany({ where: { ...seenBy(person), id: { in: wanted } }, orderBy: { id: 'desc' } });
  }

  /** The first partner whose it is; a person of one partner asks for that one only. */
  async function ofPartners(person: Person, ask: (partnerId: string) => Promise<string | undefined>): Promise<(string | undefined)[]> {
    for (const partnerId of person.role === 'platform' ? partnerIds() : [person.partnerId ?? '']) {
      const found = await ask(partnerId).catch((failure: unknown) => {
        if (isGatewayError(failure, 'NOT_FOUND')) return undefined;
        throw failure;
      });
      if (found !== undefined) return [found];
    }
    return [];
  }

  /** How each kind of id leads to lines. Rows found on the way are not shown, so only the lines are held against the person. */
  const ways: Partial<Record<IdPrefix, (person: Person, id: string) => Promise<(string | null | undefined)[]>>> = {
    sub: async (_person, id) => [id],
    async ord(_person, id) {
      const items = await read.orderItem.findMany({ where: { orderId: id }, orderBy: { position: 'asc' }, take: LINES_MAX });
      return items.map((item) => item.subscriptionId);
    },
    tsk: async (_person, id) => [(await read.task.findUnique({ where: { id } }))?.subscriptionId],
    sim: async (_person, id) =>
      (await read.subscription.findMany({ where: { simId: id }, orderBy: { id: 'desc' }, take: LINES_MAX })).map((line) => line.id),
    ent: async (_person, id) => [(await read.entitlement.findUnique({ where: { id } }))?.subscriptionId],
    evt: async (_person, id) => [(await read.event.findUnique({ where: { id } }))?.subscriptionId],
    lev: async (_person, id) => [(await read.lineEvent.findUnique({ where: { id } }))?.subscriptionId],
    sms: (person, id) => ofPartners(person, async (partnerId) => (await smsOf({ partnerId, markets: person.markets }, id)).subscriptionId),
    fb: (person, id) => ofPartners(person, async (partnerId) => (await fallbackOf(id, partnerId))?.subscriptionId),
  };

  return async function findLines(person: Person, text: string): Promise<Found> {
    const id = text.trim();
    for (const [prefix, way] of Object.entries(ways)) {
      if (isId(prefix as IdPrefix, id.toLowerCase())) {
        return { kind: 'id', lines: await byIds(person, await way(person, id.toLowerCase())) };
      }
    }
    const number = readNumber(id);
    if (number === undefined) return { kind: 'unknown', lines: [] };
    const { bare, digits } = number;
    if (/^89[0-9]{16,18}$/.test(bare)) return { kind: 'iccid', lines: await byNumber(person, { iccid: bare }) };
    // 14 or 15 digits may be either; test networks' identities begin with 00, as numbers that are dialled abroad do.
    if (/^[0-9]{14,15}$/.test(bare)) {
      const lines = await byNumber(person, { imsi: bare });
      if (lines.length > 0) return { kind: 'imsi', lines };
    }
    if (!/^[1-9][0-9]{4,14}$/.test(digits)) return { kind: 'unknown', lines: [] };
    return { kind: 'msisdn', lines: await byNumber(person, { msisdn: `+${digits}` }) };
  };
}

/** The digits of a number as people write it: with spaces, hyphens, dots or brackets, and `+`, `00` or nothing in front. */
function readNumber(text: string): { bare: string; digits: string } | undefined {
  const bare = text
    .replace(/^tel:/i, '')
    .replace(/[\s().\-/\u2010-\u2015]/g, '')
    .replace(/[Ff]$/, '');
  const digits = bare.replace(/^(?:\+|00)/, '');
  return /^\+?[0-9]{5,22}$/.test(bare) ? { bare, digits } : undefined;
}
