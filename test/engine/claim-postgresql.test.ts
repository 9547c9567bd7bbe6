import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/kernel/clock.js';
import { newId } from '../../src/kernel/ids.js';
import { openPostgresStore } from '../../src/store/index.js';
import { createTestDatabase, type TestDatabase } from '../fakes/database.js';
import { findServices } from '../fakes/services.js';
import { aMessage, openRig, PARTNER, type Person, type Rig } from './rig.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const { urls, skipped } = await findServices('postgres');

describe.skipIf(skipped)(`fallbacks are claimed on PostgreSQL${skipped ? ` (${skipped})` : ''}`, () => {
  let database: TestDatabase;
  let nodes: Rig[];
  let [sender, recipient]: Person[] = [];
  beforeEach(async () => {
    database = await createTestDatabase(urls.postgres);
    nodes = [];
    for (let node = 0; node < 3; node++)
      nodes.push(await openRig({ store: await openPostgresStore(database.url, systemClock, () => undefined) }));
    sender = await nodes[0]?.person('+999100001');
    recipient = await nodes[0]?.person('+999100002');
  });
  afterEach(async () => {
    for (const node of nodes) await node.close();
    await database.drop();
  });

  const fallback = { mode: 'notice', class: 'otp' };
  async function arm(count: number): Promise<void> {
    const [node] = nodes;
    if (!node || !sender || !recipient) throw new Error('the test has no node');
    for (let i = 0; i < count; i++)
      await node.engine.calls.sendMessage(sender, recipient.accountId, aMessage(recipient, `c${i}`, { fallback }));
    for (const { domain } of nodes) domain.aheadMs = 60_000;
  }
  const claim = async ({ engine, clock, domain }: Rig, limit: number): Promise<string[]> => {
    const claimed = await engine.fallbacks.claimDue({
      partnerId: PARTNER,
      now: clock.now() + domain.aheadMs,
      limit,
      smsIdFor: () => newId('sms', clock.now()),
    });
    return claimed.map(({ id }) => id);
  };

  test('nodes that claim at once claim each once', async () => {
    await arm(40);
    const claimed = await Promise.all(
      nodes.map(async (node) => {
        const own: string[] = [];
        // Somebody else may have been quicker with all that this one saw.
        for (let empty = 0; empty < 3; ) {
          const some = await claim(node, 7);
          empty = some.length === 0 ? empty + 1 : 0;
          own.push(...some);
        }
        return own;
      }),
    );
    const all = claimed.flat();
    expect(new Set(all).size).toBe(40);
    expect(all).toHaveLength(40);
    const facts = await nodes[0]?.facts();
    expect(facts?.filter(({ kind }) => kind === 'fallback.claimed')).toHaveLength(40);
  });

  test('one that another node is changing at the moment is left to it, and the others are claimed at once', async () => {
    await arm(3);
    const [node] = nodes;
    if (!node) throw new Error('the test has no node');
    const other = new pg.Client({ connectionString: database.url });
    await other.connect();
    try {
      await other.query('BEGIN');
      const { rows } = await other.query<{ id: string }>('SELECT id FROM engine_sms_fallback ORDER BY due_at LIMIT 1 FOR UPDATE');
      const claimed = await claim(node, 10);
      expect(claimed).toHaveLength(2);
      expect(claimed).not.toContain(rows[0]?.id);
      await other.query('ROLLBACK');
      expect(await claim(node, 10)).toEqual([rows[0]?.id]);
    } finally {
      await other.end();
    }
  });
});
