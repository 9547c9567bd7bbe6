import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { claimDeliveries } from '../../src/events/claim.js';
import type { ControlStore } from '../../src/store/index.js';
import { findServices } from '../fakes/services.js';
import { openTestStore, type TestStore } from '../fakes/store.js';
import { anEvent } from './event-builder.js';
import { aFixture, type Fixture } from './fixture.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const { urls, skipped } = await findServices('postgres');

let store: TestStore;
let fixture: Fixture;

const claim = (control: ControlStore, owner: string, limit = 8) =>
  claimDeliveries(control, { owner, now: fixture.clock.now(), leaseMs: 25_000, limit, turn: 0, room: () => limit });

describe.skipIf(skipped)(`deliveries are taken on PostgreSQL${skipped ? ` (${skipped})` : ''}`, () => {
  beforeEach(async () => {
    store = await openTestStore(urls.postgres);
    fixture = aFixture(store);
    await fixture.subscribe();
    await fixture.append(...Array.from({ length: 24 }, () => anEvent()));
  });
  afterEach(() => store.close());

  test('while one node is taking some, another takes others and does not wait', async () => {
    let commit = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let hasChosen = (): void => undefined;
    const chosen = new Promise<void>((resolve) => {
      hasChosen = resolve;
    });
    const slow: ControlStore = {
      ...store.control,
      transact: (work, options) =>
        store.control.transact(async (tx, hints) => {
          const result = await work(tx, hints);
          hasChosen();
          await held;
          return result;
        }, options),
    };
    const first = claim(slow, 'slow');
    await chosen;
    const second = await claim(store.control, 'quick');
    commit();
    const ids = [...(await first), ...second].map(({ id }) => id);
    expect(ids).toHaveLength(16);
    expect(new Set(ids).size).toBe(16);
  });

  test('many nodes at once take each once', async () => {
    const taken = await Promise.all(
      Array.from({ length: 6 }, async (_, node) => {
        const own: string[] = [];
        for (
          let some = await claim(store.control, `node-${node}`, 3);
          some.length > 0;
          some = await claim(store.control, `node-${node}`, 3)
        )
          own.push(...some.map(({ id }) => id));
        return own;
      }),
    );
    const all = await store.control.read.webhookDelivery.findMany();
    expect(taken.flat().sort()).toEqual(all.map(({ id }) => id).sort());
    for (const { id, leaseOwner } of all) expect(taken[Number(leaseOwner?.replace('node-', ''))]).toContain(id);
  });
});
