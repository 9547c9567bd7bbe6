import type { Catalogue, PermitPlan } from '../catalogue/index.js';
import type { Clock, DomainClock } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import type { Log } from '../kernel/log.js';
import { runPeriodically } from '../kernel/periodic.js';
import type { Reporter } from '../provisioning/index.js';
import type { ControlStore } from '../store/index.js';
import { createEntitlements, type Entitlements } from './entitlements/entitlements.js';
import { createPermitPlan } from './market-policy.js';
import type { ListSigner, MarketPolicies, TrafficSources, ZeroRatedPartners } from './ports.js';
import { createTrafficLists, type TrafficLists } from './traffic-lists/traffic-lists.js';

export type { Decision, DecisionRequest } from './entitlements/decide.js';
export type { Entitlements, GrantRequest } from './entitlements/entitlements.js';
export { createPermitPlan } from './market-policy.js';
export type {
  ListSigner,
  MarketPolicies,
  MarketPolicy,
  Relay,
  TrafficDependency,
  TrafficSources,
  ZeroRatedPartner,
  ZeroRatedPartners,
} from './ports.js';
export type { Deployment, TrafficListFormat, TrafficLists } from './traffic-lists/traffic-lists.js';

export interface ZeroRatingOptions {
  control: ControlStore;
  clock: Clock;
  domainClock: DomainClock;
  log: Log;
  environment: 'sandbox' | 'production';
  partners: ZeroRatedPartners;
  policies: MarketPolicies;
  catalogue: Pick<Catalogue, 'get'>;
  report: Reporter;
  sign: ListSigner;
  /** The deployment's own addresses; a function, since an ephemeral port is known late. */
  sources(): TrafficSources;
  /** Who pays where a request names nobody. Default `messaging-company`. */
  sponsorId?: string;
}

/** Market policy, traffic lists and entitlements. */
export interface ZeroRating extends Closable {
  /** The same as `createPermitPlan(policies)`, which the catalogue takes, since zero-rating takes the catalogue. */
  readonly permitPlan: PermitPlan;
  readonly trafficLists: TrafficLists;
  readonly entitlements: Entitlements;
  /**
   * Publishes the lists that changed, and from then on keeps signatures fresh and lets entitlements begin and end.
   *
   * @throws GatewayError `CONFIG.INVALID` when the deployment's own addresses make a list that nobody may deploy.
   */
  start(): Promise<void>;
  close(): Promise<void>;
}

const LISTS_EVERY_MS = 60_000;
const TERMS_EVERY_MS = 1_000;

export function createZeroRating(options: ZeroRatingOptions): ZeroRating {
  const trafficLists = createTrafficLists(options);
  const entitlements = createEntitlements({ ...options, trafficLists });
  const running: Closable[] = [];
  return {
    permitPlan: createPermitPlan(options.policies),
    trafficLists,
    entitlements,
    async start() {
      await trafficLists.publish();
      running.push(
        runPeriodically({ ...options, name: 'traffic lists', everyMs: LISTS_EVERY_MS }, () => trafficLists.renew()),
        runPeriodically({ ...options, name: 'entitlement terms', everyMs: TERMS_EVERY_MS }, () => entitlements.sweep()),
      );
    },
    async close() {
      for (const task of running.splice(0)) await task.close();
    },
  };
}
