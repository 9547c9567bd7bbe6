import { freshIccid, freshImsi, freshMsisdn } from '../demo/numbers.js';
import type { AnsweredOrder } from './ledger.js';
import { comes, once, type Scene } from './scene.js';

const LINES_MAX = 3;

/** Orders some lines. */
export async function order(scene: Scene): Promise<void> {
  await orderLines(
    scene,
    Array.from({ length: 1 + scene.random(LINES_MAX) }, () => freshMsisdn()),
  );
}

/**
 * Registers SIMs, orders lines for them, and confirms what the network is asked to do, as a back office and a network would.
 *
 * @returns when every line is active.
 */
export async function orderLines(scene: Scene, msisdns: readonly string[]): Promise<void> {
  const { ledger, reach, run, planId } = scene;
  const { partner } = reach;
  const name = `o${scene.next()}`;
  const lines = msisdns.map((msisdn) => ({ msisdn, iccid: freshIccid(), imsi: freshImsi() }));

  const sims = lines.map(({ iccid, imsi }) => ({ iccid, imsi }));
  const addSims = (to = partner) => to.createSimBatch({ headers: once(scene, `${name}-sims`), body: { market: 'XS', sims } });
  const batch = await ledger.ask('orders', () => addSims());
  ledger.mayRepeat({ what: `SIM batch ${batch.id}`, answer: batch.id, again: async (other) => (await addSims(other.partner)).id });

  const externalId = `${run}-${name}`;
  const items = lines.map(({ iccid, msisdn }) => ({ action: 'add' as const, planId, iccid, msisdn }));
  const place = (to = partner) => to.createOrder({ headers: once(scene, `${name}-order`), body: { market: 'XS', externalId, items } });
  const { id: orderId } = await ledger.ask('orders', () => place());
  const answered: AnsweredOrder = { orderId, externalId, confirmed: new Set(), tasks: [] };
  ledger.orders.push(answered);
  ledger.mayRepeat({ what: `order ${orderId}`, answer: orderId, again: async (other) => (await place(other.partner)).id });

  answered.tasks = await comes(`the tasks of order ${orderId}`, async () => {
    const { items: made } = await ledger.ask('orders', () => partner.getOrder({ path: { orderId } }));
    const tasks = made.flatMap(({ taskId }) => taskId ?? []);
    return tasks.length === lines.length ? tasks : undefined;
  });
  await Promise.all(
    answered.tasks.map(async (taskId) => {
      const body = { operatorReference: `hlr-${taskId}` };
      const confirm = (to = partner) => to.confirmTask({ path: { taskId }, headers: once(scene, `confirm-${taskId}`), body });
      const { status } = await ledger.ask('orders', () => confirm());
      answered.confirmed.add(taskId);
      ledger.mayRepeat({
        what: `confirmation of ${taskId}`,
        answer: status,
        again: async (other) => (await confirm(other.partner)).status,
      });
    }),
  );
}
