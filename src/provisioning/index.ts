import type { Clock, DomainClock } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import type { Log } from '../kernel/log.js';
import type { ControlStore } from '../store/index.js';
import { startFulfilment } from './fulfilment.js';
import { createLineEvents, type LineEvents } from './line-events.js';
import type { Actor, PartnerRanges } from './model.js';
import { createOrders, type Orders } from './orders.js';
import type { OrderedPlans, Reporter, SubscriptionEntitlements } from './ports.js';
import { createSims, type Sims } from './sims.js';
import { createSubscriptions, type Subscriptions } from './subscriptions.js';
import { createTasks, type Tasks } from './tasks.js';

export { showLineEvent } from './line-events.js';
export type { Actor, MarketRanges, PartnerRanges, Scope } from './model.js';
export { marketOfNumber, partnerRanges } from './partner-ranges.js';
export type { OrderedPlans, Report, Reporter, SubscriptionEntitlements } from './ports.js';
export { showOrder, showSim, showSubscription, showTask } from './show.js';
export type { SimBatchResult, SimRow } from './sims.js';

/** SIMs, orders, the operator's tasks, subscriptions, and what happens to lines. */
export interface Provisioning extends Closable {
  readonly sims: Sims;
  readonly orders: Orders;
  readonly tasks: Tasks;
  readonly subscriptions: Subscriptions;
  readonly lineEvents: LineEvents;
  close(): Promise<void>;
}

export interface ProvisioningOptions {
  control: ControlStore;
  clock: Clock;
  domainClock: DomainClock;
  log: Log;
  ranges: PartnerRanges;
  plans: OrderedPlans;
  entitlements: SubscriptionEntitlements;
  report: Reporter;
  marketOf(actor: Actor, msisdn: string): string | undefined;
  /** Hint that gateway.db's outbox has something for messages.db. */
  wakeOutbox(): void;
}

export function createProvisioning(options: ProvisioningOptions): Provisioning {
  const fulfilment = startFulfilment(options);
  return {
    sims: createSims(options),
    orders: createOrders({ ...options, wake: fulfilment.wake }),
    tasks: createTasks(options),
    subscriptions: createSubscriptions(options),
    lineEvents: createLineEvents(options),
    close: () => fulfilment.close(),
  };
}
