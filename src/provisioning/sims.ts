import type { Clock } from '../kernel/clock.js';
import { isGatewayError, notFound } from '../kernel/errors.js';
import { parseIccid } from '../kernel/iccid.js';
import { newId } from '../kernel/ids.js';
import { parseImsi } from '../kernel/imsi.js';
import { type Page, type PageRequest, pageOf } from '../kernel/page.js';
import type { ControlStore, ControlTransaction } from '../store/index.js';
import type { Sim } from '../store/models.js';
import { type Actor, type MarketRanges, type PartnerRanges, type Scope, visible } from './model.js';
import { refused } from './refused.js';

export interface SimRow {
  iccid: string;
  imsi?: string;
}

export type SimResult =
  | { index: number; status: 'registered'; simId: string }
  | { index: number; status: 'failed'; code: string; pointer: string; message: string };

export interface SimBatchResult {
  id: string;
  market: string;
  externalId?: string;
  total: number;
  succeeded: number;
  failed: number;
  createdAt: Date;
  items: SimResult[];
}

export interface Sims {
  /**
   * Registers up to 1,000 SIMs as `inStock`. A bad row fails alone; of two rows with one ICCID the first wins.
   *
   * @throws GatewayError `MARKET.NOT_COVERED`.
   */
  register(tx: ControlTransaction, actor: Actor, batch: { market: string; externalId?: string; sims: SimRow[] }): Promise<SimBatchResult>;
  list(scope: Scope, page: PageRequest, filter: { state?: string }): Promise<Page<Sim>>;
  /** @throws GatewayError `NOT_FOUND`. */
  get(scope: Scope, simId: string): Promise<Sim>;
  /** The SIMs with that identifier: one or none. */
  find(scope: Scope, by: { iccid?: string; imsi?: string; msisdn?: string }): Promise<Sim[]>;
}

/** SQLite binds at most 32,766 values in a statement; a chunk of 200 rows stays well below and holds no lock for long. */
const CHUNK = 200;

export function createSims({ control, clock, ranges }: { control: ControlStore; clock: Clock; ranges: PartnerRanges }): Sims {
  return {
    async register(tx, actor, { market, externalId, sims }) {
      const own = ranges.market(actor, market, '/market');
      const now = new Date(clock.now());
      const id = newId('sbt', clock.now());
      const items: SimResult[] = [];
      for (let start = 0; start < sims.length; start += CHUNK) {
        items.push(...(await registerChunk(sims.slice(start, start + CHUNK), start)));
      }
      const succeeded = items.filter((item) => item.status === 'registered').length;
      const counts = { total: items.length, succeeded, failed: items.length - succeeded };
      await tx.simBatch.create({
        data: { id, partnerId: actor.partnerId, market, externalId: externalId ?? null, ...counts, createdAt: now },
      });
      return { id, market, ...(externalId !== undefined && { externalId }), ...counts, createdAt: now, items };

      async function registerChunk(rows: SimRow[], start: number): Promise<SimResult[]> {
        const parsed = rows.map((row, offset) => parseRow(row, start + offset, own));
        const good = parsed.flatMap((row) => ('iccid' in row ? [row] : []));
        const taken = new Set<string>();
        const existing = await tx.sim.findMany({
          where: { OR: [{ iccid: { in: good.map((row) => row.iccid) } }, { imsi: { in: good.flatMap((row) => row.imsi ?? []) } }] },
          select: { iccid: true, imsi: true },
        });
        for (const sim of existing) taken.add(sim.iccid).add(sim.imsi ?? sim.iccid);
        const fresh: { id: string; iccid: string; imsi: string | null }[] = [];
        const results = parsed.map((row): SimResult => {
          if (!('iccid' in row)) return row;
          const clash = taken.has(row.iccid) ? 'iccid' : row.imsi !== undefined && taken.has(row.imsi) ? 'imsi' : undefined;
          if (clash) return failed(row.index, 'ALREADY_EXISTS', `/sims/${row.index}/${clash}`, 'is registered already');
          taken.add(row.iccid).add(row.imsi ?? row.iccid);
          const simId = newId('sim', clock.now());
          fresh.push({ id: simId, iccid: row.iccid, imsi: row.imsi ?? null });
          return { index: row.index, status: 'registered', simId };
        });
        const shared = { partnerId: actor.partnerId, batchId: id, market, state: 'inStock', asOf: now, createdAt: now, updatedAt: now };
        if (fresh.length > 0) await tx.sim.createMany({ data: fresh.map((sim) => ({ ...sim, ...shared })) });
        return results;
      }
    },
    async list(scope, { after, limit }, { state }) {
      const where = { ...visible(scope), ...(after && { id: { gt: after } }), ...(state && { state }) };
      const rows = await control.read.sim.findMany({ where, orderBy: { id: 'asc' }, take: limit + 1 });
      return pageOf(
        rows,
        limit,
        (sim) => sim.id,
        (sim) => sim,
      );
    },
    async get(scope, simId) {
      const sim = await control.read.sim.findFirst({ where: { ...visible(scope), id: simId } });
      if (!sim) throw notFound('SIM');
      return sim;
    },
    async find(scope, { iccid, imsi, msisdn }) {
      if (msisdn !== undefined) {
        const held = await control.read.subscription.findMany({
          where: { ...visible(scope), liveMsisdn: msisdn },
          select: { simId: true },
        });
        return control.read.sim.findMany({ where: { ...visible(scope), id: { in: held.map((one) => one.simId) } } });
      }
      return control.read.sim.findMany({
        where: {
          ...visible(scope),
          ...(iccid !== undefined && { iccid: parseIccid(iccid, '/iccid') }),
          ...(imsi !== undefined && { imsi }),
        },
      });
    },
  };
}

const failed = (index: number, code: string, pointer: string, message: string): SimResult => ({
  index,
  status: 'failed',
  code,
  pointer,
  message,
});

function parseRow(row: SimRow, index: number, own: MarketRanges): { index: number; iccid: string; imsi?: string } | SimResult {
  const at = `/sims/${index}`;
  try {
    const iccid = parseIccid(row.iccid, `${at}/iccid`);
    if (!own.iccidPrefixes.some((prefix) => iccid.startsWith(prefix))) {
      return failed(index, 'PROVISIONING.ICCID_NOT_OURS', `${at}/iccid`, "is outside the partner's ranges in this market");
    }
    if (row.imsi === undefined) return { index, iccid };
    const imsi = parseImsi(row.imsi, `${at}/imsi`);
    if (!own.mccMnc.some((network) => imsi.startsWith(network))) {
      return failed(index, 'PROVISIONING.IMSI_NOT_OURS', `${at}/imsi`, "does not begin with one of the market's MCC-MNC");
    }
    return { index, iccid, imsi };
  } catch (failure) {
    if (!isGatewayError(failure)) throw failure;
    const [field] = failure.errors ?? [];
    return failed(index, failure.code, field?.pointer ?? at, field?.message ?? failure.detail);
  }
}

/** @throws GatewayError naming `pointer` unless the SIM is the partner's and in stock. */
export async function reserveSim(
  tx: ControlTransaction,
  actor: Actor,
  market: string,
  iccid: string,
  pointer: string,
  now: Date,
): Promise<Sim> {
  const own = { partnerId: actor.partnerId, market, iccid };
  const change = { state: 'reserved', asOf: now, updatedAt: now };
  const { count } = await tx.sim.updateMany({ where: { ...own, state: 'inStock' }, data: change });
  const sim = await tx.sim.findFirst({ where: own });
  if (sim && count === 1) return sim;
  const message = sim ? `is ${sim.state}, not inStock` : 'is not registered in this market';
  const hint = 'Register the SIM with POST /v1/sim-batches, or take one whose state is inStock.';
  throw refused('PROVISIONING.SIM_NOT_AVAILABLE', pointer, message, hint);
}
