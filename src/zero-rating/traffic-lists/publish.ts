import { createHash } from 'node:crypto';
import type { Clock, Instant } from '../../kernel/clock.js';
import { toRfc3339 } from '../../kernel/clock.js';
import { GatewayError, isGatewayError } from '../../kernel/errors.js';
import { newId } from '../../kernel/ids.js';
import type { Log } from '../../kernel/log.js';
import type { Reporter } from '../../provisioning/index.js';
import type { ControlStore } from '../../store/index.js';
import type { TrafficListRelease, TrafficListVersion } from '../../store/models.js';
import { permits } from '../market-policy.js';
import type { ListSigner, MarketPolicies, TrafficSources, ZeroRatedPartner, ZeroRatedPartners } from '../ports.js';
import { canonicalJson } from './canonical-json.js';
import { effectiveAt } from './effective-at.js';
import { dependenciesOf, generateRules, LIST_CLASSES, type ListClass } from './generate-rules.js';
import { lintRules } from './lint-rules.js';
import { showList } from './show.js';

const DAY_MS = 86_400_000;
/** A copy that nobody refreshes must not live on for years: it says itself when it is over. */
const VALID_MS = 92 * DAY_MS;
/** Half of that is always left. */
const RENEW_BEFORE_MS = 46 * DAY_MS;

export interface PublishOptions {
  control: ControlStore;
  clock: Clock;
  log: Log;
  environment: 'sandbox' | 'production';
  partners: ZeroRatedPartners;
  policies: MarketPolicies;
  report: Reporter;
  sign: ListSigner;
  /** A function, since an ephemeral port is known late. */
  sources(): TrafficSources;
}

const classes = Object.keys(LIST_CLASSES) as ListClass[];

/** The market under which a partner gets lists: one whose law lets an app's own traffic be told apart at all. */
export function marketOfLists({ policies }: Pick<PublishOptions, 'policies'>, partner: ZeroRatedPartner, at: Instant): string | undefined {
  return partner.markets.find(({ code }) => {
    try {
      return permits(policies.at(code, at), 'open-class');
    } catch (failure) {
      if (isGatewayError(failure, 'MARKET.NOT_COVERED')) return false;
      throw failure;
    }
  })?.code;
}

/**
 * Makes each class's list from the deployment's own addresses and publishes a new version of those whose rules changed;
 * partners who lack the current one (new ones, say) get it too. Several nodes may do this at the same time.
 *
 * @throws GatewayError `CONFIG.INVALID` with every problem of every list, before anything is published.
 */
export async function publishLists(options: PublishOptions): Promise<void> {
  const { environment } = options;
  const sources = options.sources();
  const lists = classes.map((trafficClass) => ({ trafficClass, rules: generateRules(trafficClass, sources) }));
  const problems = lists.flatMap(({ trafficClass, rules }) =>
    lintRules(rules, { sandbox: environment === 'sandbox' }).map((problem) => `${trafficClass}: ${problem}`),
  );
  if (problems.length > 0) {
    throw new GatewayError('CONFIG.INVALID', {
      detail: `The traffic lists cannot be published. ${[...new Set(problems)].join(' ')}`,
      hint: 'Correct CAUSEWAY_ORIGIN_TEXT, CAUSEWAY_ORIGIN_MEDIA and CAUSEWAY_ORIGIN_CALLS.',
    });
  }
  for (const { trafficClass, rules } of lists) {
    const canonical = canonicalJson(rules);
    while (!(await publishList(options, trafficClass, canonical, JSON.stringify(dependenciesOf(sources))))) {
      // Another node published in between: look again.
    }
  }
}

async function publishList(options: PublishOptions, trafficClass: ListClass, rules: string, dependencies: string): Promise<boolean> {
  const { control, clock, partners, report, log } = options;
  const now = clock.now();
  const newest = await control.read.trafficListVersion.findFirst({ where: { trafficClass }, orderBy: { version: 'desc' } });
  const sha256 = createHash('sha256').update(rules).digest('hex');
  const unchanged = newest?.sha256 === sha256 ? newest : undefined;
  const fresh: TrafficListVersion = {
    id: newId('tl', now),
    trafficClass,
    version: (newest?.version ?? 0) + 1,
    status: 'published',
    rules,
    dependencies,
    sha256,
    publishedAt: new Date(now),
  };
  const list = unchanged ?? fresh;
  const having = unchanged ? await control.read.trafficListRelease.findMany({ where: { listId: list.id } }) : [];
  const lacking = partners.all().filter(({ id, kind }) => kind === 'operator' && !having.some(({ partnerId }) => partnerId === id));
  const releases: { market: string; release: TrafficListRelease }[] = [];
  for (const partner of lacking) {
    const market = marketOfLists(options, partner, now);
    if (market !== undefined) releases.push({ market, release: await signedRelease(options, list, partner, now) });
  }
  if (unchanged && releases.length === 0 && unchanged.dependencies === dependencies) return true;

  return control.transact(async (tx) => {
    const last = await tx.trafficListVersion.findFirst({ where: { trafficClass }, orderBy: { version: 'desc' } });
    if (last?.id !== newest?.id) return false;
    if (unchanged) {
      // Advice, not rules: it follows the program, and what was signed stays as it is.
      await tx.trafficListVersion.update({ where: { id: list.id }, data: { dependencies } });
    } else {
      await tx.trafficListVersion.updateMany({ where: { trafficClass, status: 'published' }, data: { status: 'superseded' } });
      await tx.trafficListVersion.create({ data: list });
    }
    for (const { market, release } of releases) {
      const { partnerId, listId } = release;
      if (await tx.trafficListRelease.findUnique({ where: { partnerId_listId: { partnerId, listId } } })) continue;
      await tx.trafficListRelease.create({ data: release });
      const where = { partnerId_trafficClass: { partnerId, trafficClass } };
      const acknowledgement = (await tx.trafficListAcknowledgement.findUnique({ where })) ?? undefined;
      await report(tx, {
        partnerId,
        market,
        type: 'traffic-list.published',
        subject: list.id,
        resource: showList({ list: { ...list, dependencies }, release, acknowledgement }),
        summary: `Traffic list ${trafficClass} version ${list.version} published`,
        facts: [{ name: 'effectiveAt', value: toRfc3339(release.effectiveAt.getTime()) }],
      });
    }
    if (!unchanged) log.info({ trafficClass, version: list.version, partners: releases.length }, 'traffic list published');
    return true;
  });
}

async function signedRelease(
  { sign }: PublishOptions,
  list: TrafficListVersion,
  partner: ZeroRatedPartner,
  now: Instant,
): Promise<TrafficListRelease> {
  const from = effectiveAt(partner, now);
  const times = { effectiveAt: new Date(from), validUntil: new Date(from + VALID_MS) };
  return { partnerId: partner.id, listId: list.id, ...times, signature: await sign(payloadOf(list, times)), createdAt: new Date(now) };
}

/** What a signature is over. */
const payloadOf = (
  { trafficClass, version, sha256 }: TrafficListVersion,
  times: Pick<TrafficListRelease, 'effectiveAt' | 'validUntil'>,
) => ({
  trafficClass,
  version,
  effectiveAt: toRfc3339(times.effectiveAt.getTime()),
  validUntil: toRfc3339(times.validUntil.getTime()),
  sha256,
});

/**
 * Keeps current lists good: their signatures by a key that is in the JWKS (keys rotate, and a retired one is gone), and
 * their validity far ahead. Version, rules and `effectiveAt` stay.
 */
export async function renewLists({ control, clock, sign }: PublishOptions): Promise<void> {
  const lists = await control.read.trafficListVersion.findMany({ where: { status: 'published' } });
  const byId = new Map(lists.map((list) => [list.id, list]));
  for (const release of await control.read.trafficListRelease.findMany({ where: { listId: { in: [...byId.keys()] } } })) {
    const list = byId.get(release.listId);
    if (!list) continue;
    const runsOut = release.validUntil.getTime() < clock.now() + RENEW_BEFORE_MS;
    const validUntil = runsOut ? new Date(clock.now() + VALID_MS) : release.validUntil;
    const signature = await sign(payloadOf(list, { ...release, validUntil }));
    if (!runsOut && headerOf(signature) === headerOf(release.signature)) continue;
    const where = { partnerId: release.partnerId, listId: release.listId, signature: release.signature };
    await control.transact((tx) => tx.trafficListRelease.updateMany({ where, data: { validUntil, signature } }));
  }
}

/** The protected header names the key. */
const headerOf = (jws: string): string => jws.slice(0, jws.indexOf('.'));
