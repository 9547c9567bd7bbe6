import type { KeyRing } from '../kernel/key-wrap.js';
import type { ControlStore } from '../store/index.js';
import { ANSWER_PURPOSE } from './idempotency.js';

/** Rows of one transaction. */
const ROWS = 200;

/** Wraps the stored answers under the ring's current key. @returns how many there were to do. */
export async function rewrapAnswers({ read, transact }: ControlStore, ring: KeyRing): Promise<number> {
  let done = 0;
  for (;;) {
    const rows = await read.idempotencyKey.findMany({
      where: { AND: [{ body: { not: '' } }, { NOT: { body: { startsWith: ring.prefix() } } }] },
      select: { partnerId: true, method: true, path: true, key: true, body: true },
      take: ROWS,
    });
    if (rows.length === 0) return done;
    const again = rows.map((row) => ({ where: row, data: { body: ring.rewrap(row.body, ANSWER_PURPOSE) ?? row.body } }));
    await transact(async (tx) => {
      for (const change of again) await tx.idempotencyKey.updateMany(change);
    });
    done += rows.length;
  }
}
