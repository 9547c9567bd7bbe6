import { freshIccid, freshImsi, freshMsisdn } from '../demo/numbers.js';
import type { AnsweredOrder } from './ledger.js';
import type { Partner } from './reach.js';
import { comes, insist, once, type Scene } from './scene.js';

const LINES_MAX = 3;
/** The network refuses one task in so many. */
const REJECTED = 8;

/** Orders some lines, some of which the network refuses. */
export async function order(scene: Scene): Promise<void> {
  const msisdns = Array.from({ length: 1 + scene.random(LINES_MAX) }, () => freshMsisdn());
  await orderLines(scene, msisdns, true);
}

/**
 * Registers SIMs, orders lines for them, and decides over what the network is asked to do, as a back office and a network would.
 *
 * @returns when every line is active, or was refused.
 */
export async function orderLines(scene: Scene, msisdns: readonly string[], mayBeRejected = false): Promise<void> {
  const { ledger, reach, random, run, planId } = scene;
  const name = `o${scene.next()}`;
  const lines = msisdns.map((msisdn) => ({ msisdn, iccid: freshIccid(), imsi: freshImsi() }));

  const sims = lines.map(({ iccid, imsi }) => ({ iccid, imsi }));
  const addSims = (to: Partner) => to.createSimBatch({ headers: once(scene, `${name}-sims`), body: { market: 'XS', sims } });
  const batch = await insist(scene, 'orders', addSims, ({ id }) => id);
  ledger.mayRepeat({ what: `SIM batch ${batch.id}`, answer: batch.id, again: async (other) => (await addSims(other.partner)).id });

  const externalId = `${run}-${name}`;
  const items = lines.map(({ iccid, msisdn }) => ({ action: 'add' as const, planId, iccid, msisdn }));
  const place = (to: Partner) => to.createOrder({ headers: once(scene, `${name}-order`), body: { market: 'XS', externalId, items } });
  const { id: orderId } = await insist(scene, 'orders', place, ({ id }) => id);
  const answered: AnsweredOrder = { orderId, externalId, decided: new Map(), tasks: [] };
  ledger.orders.push(answered);
  ledger.mayRepeat({ what: `order ${orderId}`, answer: orderId, again: async (other) => (await place(other.partner)).id });

  answered.tasks = await comes(`the tasks of order ${orderId}`, async () => {
    const { items: made } = await ledger.ask('orders', () => reach.partner.getOrder({ path: { orderId } }));
    const tasks = made.flatMap(({ taskId }) => taskId ?? []);
    return tasks.length === lines.length ? tasks : undefined;
  });
  await Promise.all(answered.tasks.map((taskId) => decide(scene, answered, taskId, mayBeRejected && random(REJECTED) === 0)));
}

/** The network does what it was asked to, or refuses to. */
async function decide(scene: Scene, { decided }: AnsweredOrder, taskId: string, isRejected: boolean): Promise<void> {
  const headers = once(scene, `decide-${taskId}`);
  const act = (to: Partner) =>
    isRejected
      ? to.rejectTask({ path: { taskId }, headers, body: { reason: 'No such card.' } })
      : to.confirmTask({ path: { taskId }, headers, body: { operatorReference: `hlr-${taskId}` } });
  const { status } = await insist(scene, 'orders', act, (task) => task.status);
  decided.set(taskId, isRejected ? 'rejected' : 'confirmed');
  scene.ledger.mayRepeat({ what: `decision on ${taskId}`, answer: status, again: async (other) => (await act(other.partner)).status });
}
