import type { Money } from '../kernel/money.js';
import type { ControlTransaction } from '../store/index.js';
import type { Subscription } from '../store/models.js';
import type { Actor } from './model.js';

/** Something to put into the event log within the caller's transaction. The reporter adds id and time. */
export interface Report {
  partnerId: string;
  market: string;
  type: string;
  subject: string;
  subscriptionId?: string;
  resource: unknown;
  previous?: unknown;
  correlator?: string;
  summary: string;
  facts?: { name: string; value: string }[];
  price?: Money;
}

export type Reporter = (tx: ControlTransaction, report: Report) => Promise<void>;

/** The catalogue, as an order needs it. */
export interface OrderedPlans {
  /** @throws GatewayError `PROVISIONING.PLAN_NOT_OFFERED` naming `pointer` unless the plan is on sale in the market. */
  offered(tx: ControlTransaction, actor: Actor, market: string, planId: string, pointer: string): Promise<{ id: string; version: number }>;
}

/** Zero-rating, as a subscription needs it. */
export interface SubscriptionEntitlements {
  /** Grants what the plan includes, as the subscription becomes active. */
  grantFromPlan(tx: ControlTransaction, subscription: Subscription, correlator: string | undefined): Promise<void>;
  /** As the API shows them. */
  show(subscriptionIds: readonly string[], from?: ControlTransaction): Promise<Map<string, unknown[]>>;
}
