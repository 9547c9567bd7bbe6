import type { Catalogue, ZeroRatingKind } from '../../catalogue/index.js';
import { type DomainClock, type Instant, toRfc3339 } from '../../kernel/clock.js';
import { isGatewayError } from '../../kernel/errors.js';
import { parseMsisdn } from '../../kernel/msisdn.js';
import type { Scope } from '../../provisioning/index.js';
import type { ControlStore } from '../../store/index.js';
import type { Entitlement, Subscription } from '../../store/models.js';
import { refusal } from '../market-policy.js';
import type { MarketPolicies, ZeroRatedPartners } from '../ports.js';
import type { TrafficLists } from '../traffic-lists/traffic-lists.js';

export interface DecisionRequest {
  msisdn: string;
  trafficClass: string;
  at?: Date;
}

export type Treatment = 'free' | 'charged' | 'throttled' | 'blocked';

export interface Decision {
  applies: boolean;
  treatment: Treatment;
  reasonCode: string;
  /** At most 300 characters, without the number. */
  reason: string;
  entitlementId?: string;
  planId?: string;
  subscriptionId?: string;
  at: string;
}

export interface DecideOptions {
  control: ControlStore;
  domainClock: DomainClock;
  catalogue: Pick<Catalogue, 'get'>;
  partners: ZeroRatedPartners;
  policies: MarketPolicies;
  trafficLists: Pick<TrafficLists, 'deployment'>;
}

type Verdict = Pick<Decision, 'applies' | 'treatment' | 'reasonCode' | 'reason'>;

const REASON_MAX = 300;

/**
 * What applies to a number's traffic at a time, and why, in words for care staff. A number of another partner, or of a
 * market that the token does not cover, has no subscription here.
 *
 * Where the class's own entitlement does not apply, the one for all traffic alike (class `all`) may.
 */
export async function decide(options: DecideOptions, scope: Scope, request: DecisionRequest): Promise<Decision> {
  const { control, domainClock } = options;
  const msisdn = parseMsisdn(request.msisdn, '/msisdn');
  const at = request.at?.getTime() ?? domainClock.now(scope.partnerId);
  const line = await control.read.subscription.findUnique({ where: { liveMsisdn: msisdn } });
  if (!line || line.partnerId !== scope.partnerId || (scope.markets && !scope.markets.includes(line.market))) {
    return told(at, charged('NO_SUBSCRIPTION', 'The number has no subscription here, so the operator charges as for anybody.'));
  }
  const about = { subscriptionId: line.id, planId: line.planId };
  if (line.status !== 'active') {
    const reason = `The subscription is ${line.status}, not active: the line carries no data.`;
    return told(at, { applies: false, treatment: 'blocked', reasonCode: 'NOT_ACTIVE', reason }, about);
  }
  const rows = await control.read.entitlement.findMany({
    where: { subscriptionId: line.id, trafficClass: { in: [request.trafficClass, 'all'] } },
  });
  rows.sort((a) => (a.trafficClass === request.trafficClass ? -1 : 1));
  const judged = rows.map((row) => ({ row, against: judge(options, line, row, at) }));
  const deciding = judged.find(({ against }) => !against || against.applies) ?? judged[0];
  if (!deciding) return told(at, await whyNone(options, line, request.trafficClass, at), about);
  const { row, against } = deciding;
  const planId = row.planId === null ? {} : { planId: row.planId };
  const decided = { subscriptionId: line.id, entitlementId: row.id, ...planId };
  return told(at, against ?? (await entitled(options, row)), decided);
}

/** Why an entitlement does not make the traffic free; undefined when it does. */
function judge({ policies }: DecideOptions, line: Subscription, row: Entitlement, at: Instant): Verdict | undefined {
  if (row.startsAt.getTime() > at) return charged('NOT_STARTED', `The entitlement begins at ${toRfc3339(row.startsAt.getTime())}.`);
  if (row.endsAt && row.endsAt.getTime() <= at) return charged('ENDED', `The entitlement ended at ${toRfc3339(row.endsAt.getTime())}.`);
  const refused = refusal(policies, line.market, row.kind as ZeroRatingKind, at);
  if (refused) return charged('POLICY_FORBIDS', refused.detail);
  if (row.status === 'suspended') return charged('SUSPENDED', row.reason ?? 'The entitlement is suspended.');
  if (row.status === 'ended') return charged('ENDED', row.reason ?? 'The entitlement ended.');
  if (row.status !== 'exhausted') return undefined;
  const treatment = ({ throttle: 'throttled', charge: 'charged', block: 'blocked' } as const)[
    row.onExhaust as 'throttle' | 'charge' | 'block'
  ];
  return { applies: true, treatment, reasonCode: 'CAP_EXHAUSTED', reason: 'The cap of this period is used up.' };
}

async function entitled({ trafficLists }: DecideOptions, row: Entitlement): Promise<Verdict> {
  const by = row.planId === null ? 'The operator' : 'The plan';
  // Without a cap, what comes "on exhaustion" is what holds once the balance is used up.
  if (row.kind === 'application-agnostic' && row.capBytes === null && row.onExhaust === 'throttle') {
    const reason = `${by} lets all traffic alike go on at ${row.onExhaustBitsPerSecond} bit/s once the balance is used up.`;
    return { applies: true, treatment: 'throttled', reasonCode: 'ENTITLED', reason };
  }
  const list = await trafficLists.deployment(row.partnerId, row.trafficClass);
  return { applies: true, treatment: 'free', reasonCode: 'ENTITLED', reason: `${by} zero-rates ${row.trafficClass}.${caveat(list)}` };
}

/** What care staff should know when a subscriber complains all the same. */
function caveat(list: Awaited<ReturnType<TrafficLists['deployment']>>): string {
  if (!list || list.acknowledgedVersion === list.currentVersion) return '';
  const known = list.acknowledgedVersion === undefined ? 'no version' : `only version ${list.acknowledgedVersion}`;
  return ` But the network has acknowledged ${known} of the traffic list (the current one is ${list.currentVersion}), so it may charge some of it.`;
}

/** The class is not in the plan, or it is and could not be granted. */
async function whyNone(
  { catalogue, partners, policies }: DecideOptions,
  line: Subscription,
  trafficClass: string,
  at: Instant,
): Promise<Verdict> {
  const plan = await catalogue.get({ partnerId: line.partnerId, markets: undefined }, line.planId).catch((failure: unknown) => {
    if (isGatewayError(failure, 'NOT_FOUND')) return undefined;
    throw failure;
  });
  const wanted = plan?.zeroRating.find((item) => item.trafficClass === trafficClass);
  if (!wanted) return charged('NOT_IN_PLAN', `The plan does not zero-rate ${trafficClass}.`);
  const refused = refusal(policies, line.market, wanted.kind, at);
  if (refused) return charged('POLICY_FORBIDS', refused.detail);
  if (!partners.get(line.partnerId)?.zeroRating.classes[trafficClass]) {
    return charged('NOT_RATED', `The plan zero-rates ${trafficClass}, but no rating group is agreed with the operator for it.`);
  }
  return charged('NOT_GRANTED', `The plan zero-rates ${trafficClass} now, but this line has no entitlement for it.`);
}

const charged = (reasonCode: string, reason: string): Verdict => ({ applies: false, treatment: 'charged', reasonCode, reason });

const told = (at: Instant, verdict: Verdict, about: Pick<Decision, 'entitlementId' | 'planId' | 'subscriptionId'> = {}): Decision => ({
  ...verdict,
  reason: verdict.reason.length > REASON_MAX ? `${verdict.reason.slice(0, REASON_MAX - 1)}…` : verdict.reason,
  ...about,
  at: toRfc3339(at),
});
