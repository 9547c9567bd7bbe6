import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import { openPostgresStore, type Store } from '../../src/store/index.js';
import { takeLease } from '../../src/store/lease-operations.js';
import { type Leases, openLeases } from '../../src/store/leases.js';
import { createTestDatabase, type TestDatabase } from '../fakes/database.js';
import { findServices } from '../fakes/services.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const { urls, skipped } = await findServices('postgres');
const NODES = ['a', 'b', 'c'];
const ROUNDS = 40;

describe.skipIf(skipped)(`leases of nodes that share a PostgreSQL database${skipped ? ` (${skipped})` : ''}`, () => {
  let database: TestDatabase;
  let stores: Store[];
  let nodes: Leases[];
  beforeEach(async () => {
    database = await createTestDatabase(urls.postgres);
    stores = await Promise.all(NODES.map(() => openPostgresStore(database.url, systemClock, () => undefined)));
    nodes = await Promise.all(
      stores.map(({ messages }, index) =>
        openLeases({ store: messages, clock: systemClock, log: createLog('silent'), nodeId: NODES[index] ?? '' }),
      ),
    );
  });
  afterEach(async () => {
    for (const node of nodes) await node.close();
    for (const store of stores) await store.close();
    await database.drop();
  });

  test('of nodes that take a free lease at the same instant one has it', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const answers = await Promise.all(nodes.map((node) => node.take(`bind/${round}`)));
      expect(answers.filter(Boolean)).toHaveLength(1);
    }
  });

  test('of nodes that take a dead one’s lease over at the same instant one has it', async () => {
    const [first] = stores;
    for (let round = 0; round < ROUNDS; round++) {
      const name = `bind/${round}`;
      await first?.messages.run(takeLease, { name, owner: 'dead', fromOwner: '', fromBeat: 0 });
      const answers = await Promise.all(
        stores.map(({ messages }, index) => messages.run(takeLease, { name, owner: NODES[index] ?? '', fromOwner: 'dead', fromBeat: 0 })),
      );
      expect(answers.filter(Boolean)).toHaveLength(1);
      const [row] = (await first?.messages.read<{ owner: string }>('SELECT owner FROM node_lease WHERE name = $1', [name])) ?? [];
      expect(row?.owner).toBe(NODES[answers.indexOf(true)]);
    }
  });

  test('what is to be done alone is done by one after the other', async () => {
    let inside = 0;
    let most = 0;
    await Promise.all(
      nodes.map((node) =>
        node.alone('start', async () => {
          most = Math.max(most, ++inside);
          await new Promise<void>((resolve) => setImmediate(resolve));
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
  });
});
