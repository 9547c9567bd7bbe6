import { GatewayError, notFound } from '../../kernel/errors.js';
import { type Page, type PageRequest, pageOf } from '../../kernel/page.js';
import type { ControlReader, ControlTransaction } from '../../store/index.js';
import type { TrafficListAcknowledgement } from '../../store/models.js';
import { toCidrText, toCsv, toPfdManagement } from './export-rules.js';
import { marketOfLists, type PublishOptions, publishLists, renewLists } from './publish.js';
import { type Released, type ShownList, type ShownSummary, showAcknowledgement, showList, showSummary } from './show.js';

export type TrafficListFormat = 'pfd' | 'cidr' | 'csv';

/** How far a partner's network is with a class's list. */
export interface Deployment {
  trafficClass: string;
  currentVersion: number;
  /** Undefined as long as the partner never told. */
  acknowledgedVersion: number | undefined;
}

export interface TrafficLists {
  /** The current version of each class's list, ordered by id. */
  list(partnerId: string, page: PageRequest): Promise<Page<ShownSummary>>;
  /** @throws GatewayError `NOT_FOUND`, also where no market of the partner permits such lists. */
  get(partnerId: string, trafficClass: string): Promise<ShownList>;
  /** The current version as PfdManagement (an object), or as text. The same errors. */
  export(partnerId: string, trafficClass: string, format: TrafficListFormat): Promise<object | string>;
  /**
   * Notes which version the partner's network uses now; an earlier one than before is a rollback, and noted as well.
   *
   * @throws GatewayError `NOT_FOUND`, `ZERO_RATING.VERSION_UNKNOWN`.
   */
  acknowledge(
    tx: ControlTransaction,
    actor: { partnerId: string; correlator: string },
    trafficClass: string,
    facts: { version: number; deployedAt: Date; note?: string },
  ): Promise<ReturnType<typeof showAcknowledgement>>;
  /** Undefined where the partner has no list of that class. */
  deployment(partnerId: string, trafficClass: string): Promise<Deployment | undefined>;
  /** Partners whose network is `versions` or more behind; one that never acknowledged is as far behind as there are versions. */
  lagging(versions: number): Promise<(Deployment & { partnerId: string })[]>;
  /** @throws GatewayError `CONFIG.INVALID` */
  publish(): Promise<void>;
  /** Renews signatures and validity where it is time. */
  renew(): Promise<void>;
}

export function createTrafficLists(options: PublishOptions): TrafficLists {
  const { control, clock, partners, report } = options;

  async function released(partnerId: string, from: ControlReader | ControlTransaction, trafficClass?: string): Promise<Released[]> {
    const lists = await from.trafficListVersion.findMany({
      where: { status: 'published', ...(trafficClass !== undefined && { trafficClass }) },
      orderBy: { id: 'asc' },
    });
    const releases = await from.trafficListRelease.findMany({ where: { partnerId, listId: { in: lists.map(({ id }) => id) } } });
    const acknowledgements = await from.trafficListAcknowledgement.findMany({ where: { partnerId } });
    return lists.flatMap((list) => {
      const release = releases.find(({ listId }) => listId === list.id);
      return release ? [{ list, release, acknowledgement: acknowledgements.find((row) => row.trafficClass === list.trafficClass) }] : [];
    });
  }

  async function current(
    partnerId: string,
    trafficClass: string,
    from: ControlReader | ControlTransaction = control.read,
  ): Promise<Released> {
    const [found] = await released(partnerId, from, trafficClass);
    if (!found) throw notFound('traffic list');
    return found;
  }

  return {
    async list(partnerId, { after, limit }) {
      const rows = (await released(partnerId, control.read)).filter(({ list }) => after === undefined || list.id > after);
      return pageOf(rows.slice(0, limit + 1), limit, ({ list }) => list.id, showSummary);
    },
    get: async (partnerId, trafficClass) => showList(await current(partnerId, trafficClass)),
    async export(partnerId, trafficClass, format) {
      const { rules } = showList(await current(partnerId, trafficClass));
      if (format === 'cidr') return toCidrText(rules);
      if (format === 'csv') return toCsv(rules);
      return toPfdManagement(rules, partners.get(partnerId)?.zeroRating.delivery.leadTimeDays ?? 0);
    },
    async acknowledge(tx, { partnerId, correlator }, trafficClass, { version, deployedAt, note }) {
      const { list, acknowledgement } = await current(partnerId, trafficClass, tx);
      const known = await tx.trafficListVersion.findUnique({ where: { trafficClass_version: { trafficClass, version } } });
      const had = known && (await tx.trafficListRelease.findUnique({ where: { partnerId_listId: { partnerId, listId: known.id } } }));
      if (!had) {
        const message = `is not a version of this list; the newest is ${list.version}`;
        throw new GatewayError('ZERO_RATING.VERSION_UNKNOWN', {
          detail: `/version: ${message}.`,
          hint: 'Acknowledge the version that your network uses.',
          errors: [{ pointer: '/version', code: 'ZERO_RATING.VERSION_UNKNOWN', message }],
        });
      }
      const row: TrafficListAcknowledgement = {
        partnerId,
        trafficClass,
        version,
        deployedAt,
        note: note ?? null,
        acknowledgedAt: new Date(clock.now()),
      };
      await tx.trafficListAcknowledgement.upsert({
        where: { partnerId_trafficClass: { partnerId, trafficClass } },
        create: row,
        update: row,
      });
      const shown = showAcknowledgement(row, list.version);
      const partner = partners.get(partnerId);
      const market = (partner && marketOfLists(options, partner, clock.now())) ?? partner?.markets[0]?.code ?? '';
      await report(tx, {
        partnerId,
        market,
        type: 'traffic-list.acknowledged',
        subject: had.listId,
        resource: shown,
        ...(acknowledgement && { previous: { version: acknowledgement.version } }),
        correlator,
        summary: `Traffic list ${trafficClass} version ${version} is deployed`,
      });
      return shown;
    },
    async deployment(partnerId, trafficClass) {
      const [found] = await released(partnerId, control.read, trafficClass);
      return found && deploymentOf(found);
    },
    async lagging(versions) {
      const all = await Promise.all(
        partners.all().map(async ({ id }) => (await released(id, control.read)).map((row) => ({ partnerId: id, ...deploymentOf(row) }))),
      );
      return all.flat().filter(({ currentVersion, acknowledgedVersion }) => currentVersion - (acknowledgedVersion ?? 0) >= versions);
    },
    publish: () => publishLists(options),
    renew: () => renewLists(options),
  };
}

const deploymentOf = ({ list, acknowledgement }: Released): Deployment => ({
  trafficClass: list.trafficClass,
  currentVersion: list.version,
  acknowledgedVersion: acknowledgement?.version,
});
