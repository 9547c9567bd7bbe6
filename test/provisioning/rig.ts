import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { createInProcessBus } from '../../src/bus/index.js';
import { createCatalogue, type PermitPlan } from '../../src/catalogue/index.js';
import { createEvents } from '../../src/events/index.js';
import { createLineEventRoutes } from '../../src/http/routes/line-events.js';
import { createOrderRoutes } from '../../src/http/routes/orders.js';
import { createPlanRoutes } from '../../src/http/routes/plans.js';
import { createSimRoutes } from '../../src/http/routes/sims.js';
import { createSubscriptionRoutes } from '../../src/http/routes/subscriptions.js';
import { createTaskRoutes } from '../../src/http/routes/tasks.js';
import { luhnDigit } from '../../src/kernel/iccid.js';
import { newId } from '../../src/kernel/ids.js';
import { createLog } from '../../src/kernel/log.js';
import { loadPartners } from '../../src/partners/index.js';
import {
  type Actor,
  createProvisioning,
  marketOfNumber,
  type Provisioning,
  partnerRanges,
  type SubscriptionEntitlements,
} from '../../src/provisioning/index.js';
import type { Store } from '../../src/store/index.js';
import { createPermitPlan } from '../../src/zero-rating/index.js';
import { createFakeKeyWrap } from '../events/fake-key-wrap.js';
import type { ApiAnswer, Json } from '../fakes/api-client.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { aClient, startTestEdge, type TestEdge } from '../fakes/gateway.js';
import { openTestStore } from '../fakes/store.js';

export const registry = await loadPartners(fileURLToPath(new URL('../../partners', import.meta.url)), process.env);

export const ePlus: Actor = { partnerId: 'e-plus', markets: undefined, correlator: 'test' };

/** The n-th SIM, IMSI and number of E-Plus's free ranges. */
export const iccidOf = (n: number): string => {
  const digits = `8999957${String(n).padStart(11, '0')}`;
  return digits + luhnDigit(digits);
};
export const imsiOf = (n: number): string => `00101${String(n).padStart(10, '0')}`;
export const msisdnOf = (n: number): string => `+99957${String(n).padStart(7, '0')}`;

export interface RigOptions {
  /** A store that the test closes itself, to be opened again. */
  store?: Store;
  clock?: FakeClock;
  permitPlan?: PermitPlan;
}

export type Rig = Awaited<ReturnType<typeof openRig>>;

/** Catalogue, provisioning and event log as `build.ts` ties them, on a real store; entitlements only remember their grants. */
export async function openRig(given: RigOptions = {}) {
  const ownStore = given.store ? undefined : await openTestStore();
  const store = given.store ?? ownStore;
  if (!store) throw new Error('no store');
  const { control } = store;
  const clock = given.clock ?? createFakeClock();
  const ahead: Record<string, number> = {};
  const domainClock = { now: (partnerId: string) => clock.now() + (ahead[partnerId] ?? 0) };
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => void lines.push(line) });
  const events = createEvents({
    ...{ store, clock, log, bus: createInProcessBus(() => {}), keyWrap: createFakeKeyWrap() },
    source: 'https://gateway.example',
    allowLoopback: true,
  });
  const catalogue = createCatalogue({ control, clock, permitPlan: given.permitPlan ?? createPermitPlan(registry.policies) });
  await catalogue.seed();
  const grants: string[] = [];
  const entitlements: SubscriptionEntitlements = {
    grantFromPlan: async (_tx, subscription) => void grants.push(subscription.id),
    show: async () => new Map(),
  };
  const counts = { outboxWakes: 0 };
  const provisioning: Provisioning = createProvisioning({
    ...{ control, clock, domainClock, log, entitlements },
    ranges: partnerRanges(registry),
    plans: catalogue,
    report: (tx, report) => events.append(tx, { id: newId('evt', clock.now()), at: domainClock.now(report.partnerId), ...report }),
    marketOf: (actor, msisdn) => marketOfNumber(registry, actor, msisdn),
    wakeOutbox: () => void counts.outboxWakes++,
  });

  async function planId(code = 'messaging-sim', market = 'XS', partnerId = 'e-plus'): Promise<string> {
    return (await control.read.plan.findFirstOrThrow({ where: { partnerId, market, code } })).id;
  }

  return {
    ...{ store, control, clock, log, events, catalogue, entitlements, provisioning, grants, counts, planId },
    /** How far each partner's own time is ahead, in milliseconds. */
    ahead,
    logged: () => lines,
    /** The next sweep, once there is nothing under way. */
    async sweep(): Promise<void> {
      await until(() => clock.pending() > 0);
      await clock.advance(1_000);
      await until(() => clock.pending() > 0);
    },

    /** Registers these SIMs in E-Plus's stock. */
    stock: (...numbers: number[]) =>
      control.transact((tx) =>
        provisioning.sims.register(tx, ePlus, { market: 'XS', sims: numbers.map((n) => ({ iccid: iccidOf(n), imsi: imsiOf(n) })) }),
      ),
    /** An acknowledged order of one line for each number; its SIMs must be in stock. */
    async order(numbers: number[], more: { requestedStartDate?: Date } = {}): Promise<string> {
      const plan = await planId();
      const items = numbers.map((n) => ({ planId: plan, iccid: iccidOf(n), msisdn: msisdnOf(n) }));
      const { order } = await control.transact((tx, hints) =>
        provisioning.orders.create(tx, hints, ePlus, { market: 'XS', items, ...more }),
      );
      return order.id;
    },
    stateOf: async (orderId: string) => (await control.read.order.findUniqueOrThrow({ where: { id: orderId } })).state,
    /** The tasks of an order once they are there, in the order of its items. */
    async tasksOf(orderId: string): Promise<string[]> {
      await until(async () => (await control.read.order.findUniqueOrThrow({ where: { id: orderId } })).state !== 'acknowledged');
      const items = await control.read.orderItem.findMany({ where: { orderId }, orderBy: { position: 'asc' } });
      return items.map((item) => item.taskId ?? 'none');
    },
    confirm: (taskId: string, facts: { confirmedAt?: Date; imsi?: string; operatorReference?: string } = {}) =>
      control.transact((tx, hints) => provisioning.tasks.confirm(tx, hints, ePlus, taskId, facts)),
    reject: (taskId: string, reason = 'The SIM is barred.') =>
      control.transact((tx) => provisioning.tasks.reject(tx, ePlus, taskId, { reason })),
    /** The event log, oldest first: what happened, to what, with which number of that subject. */
    async history(): Promise<{ type: string; subject: string; sequence: number; data: Json }[]> {
      const rows = await control.read.event.findMany({ orderBy: { position: 'asc' } });
      return rows.map((row) => {
        const { sequence, data } = JSON.parse(row.cloudEvent) as { sequence: string; data: Json };
        return { type: row.type, subject: row.subject, sequence: Number(sequence), data };
      });
    },
    outbox: async (): Promise<Json[]> =>
      (await control.read.outboxItem.findMany({ orderBy: { position: 'asc' } })).map((row) => JSON.parse(row.payload)),
    async close() {
      await provisioning.close();
      await ownStore?.close();
    },
  };
}

/** The rig behind the real edge: tokens for E-Plus, for E-Plus in DE only, and for Cable & Wireless. */
export async function openEdge(
  given: RigOptions = {},
): Promise<{ rig: Rig; edge: TestEdge; linesSettled(): number; close(): Promise<void> }> {
  const rig = await openRig(given);
  const { provisioning, entitlements, events, catalogue, clock } = rig;
  let settled = 0;
  const linesSettled = async () => void settled++;
  const edge = await startTestEdge({
    store: rig.store,
    clients: [aClient(), aClient({ id: 'e-plus-de', markets: ['DE'] }), aClient({ id: 'cw', partnerId: 'cable-and-wireless' })],
    routes: {
      partner: {
        ...createPlanRoutes({ catalogue, clock }),
        ...createSimRoutes(provisioning),
        ...createOrderRoutes(provisioning),
        ...createTaskRoutes({ ...provisioning, linesSettled }),
        ...createSubscriptionRoutes({ ...provisioning, entitlements, events }),
        ...createLineEventRoutes({ ...provisioning, linesSettled }),
      },
    },
  });
  return {
    ...{ rig, edge },
    linesSettled: () => settled,
    async close() {
      await edge.close();
      await rig.close();
    },
  };
}

/** Waits until it is so; a test that waits for what never comes is ended by its own time-out. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

/** Requests with one key at the same instant: one acted; each other got its answer or was told that it still runs. */
export function expectOneAct(answers: readonly ApiAnswer<Json>[]): void {
  const acted = answers.filter(({ status, headers }) => status < 300 && headers.get('idempotency-replayed') === null);
  expect(acted).toHaveLength(1);
  for (const answer of answers) {
    if (answer === acted[0]) continue;
    if (answer.status === 409) expect(answer.body.code).toBe('IDEMPOTENCY.IN_FLIGHT');
    else expect(answer.text).toBe(acted[0]?.text);
  }
}
