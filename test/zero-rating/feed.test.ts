import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Subscription } from '../../src/store/models.js';
import { E_PLUS, NOW, openWorld, type World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

type Mirrored = { id: string; status: string; msisdn: string };

/** A policy system: it reads the snapshot, then follows the changes. It knows ids and whole states, nothing else. */
function createMirror(limit: number) {
  const known = new Map<string, Mirrored>();
  let after: string | undefined;
  return {
    known,
    async snapshot(between: () => Promise<unknown> = async () => {}) {
      let page: string | undefined;
      do {
        const answer = await world.entitlements.snapshot(E_PLUS, { after: page, limit });
        for (const item of answer.items) known.set(item.id, item);
        page = answer.nextCursor ?? undefined;
        after = answer.changesCursor;
        await between();
      } while (page !== undefined);
    },
    async follow() {
      for (;;) {
        const answer = await world.entitlements.changes(E_PLUS, { after, limit });
        for (const { change, entitlement } of answer.items) {
          const item = entitlement as Mirrored;
          if (change === 'ended') known.delete(item.id);
          else known.set(item.id, item);
        }
        after = answer.nextCursor ?? undefined;
        if (!answer.hasMore) return;
      }
    },
  };
}

async function truth(): Promise<Map<string, unknown>> {
  const { items, hasMore } = await world.entitlements.snapshot(E_PLUS, { after: undefined, limit: 200 });
  expect(hasMore).toBe(false);
  return new Map(items.map((item) => [item.id, item]));
}

const CLASSES = ['messaging-text', 'messaging-media'];

describe('the feed that policy systems mirror', () => {
  test('snapshot and changes make the current state, whatever happens before, during and after the reading', async () => {
    const lines: Subscription[] = [];
    for (let i = 0; i < 4; i++) lines.push(await world.aLine());
    const step = fc.record({
      line: fc.nat(3),
      trafficClass: fc.nat(1),
      bytes: fc.nat(1_000),
      lasts: fc.constantFrom(undefined, 10, 1_000),
      moves: fc.nat(50),
    });
    const play = async ({ line, trafficClass, bytes, lasts, moves }: typeof step extends fc.Arbitrary<infer T> ? T : never) => {
      world.shift.ms += moves;
      await world.entitlements.sweep();
      const now = NOW + world.shift.ms;
      const request = {
        cap: { bytes, period: 'P1D' },
        startsAt: new Date(now + (bytes % 3)),
        ...(lasts !== undefined && { endsAt: new Date(now + lasts + 3) }),
      };
      const where = { subscriptionId: lines[line]?.id ?? '', trafficClass: CLASSES[trafficClass] ?? '' };
      await world.entitlements.grant(E_PLUS, where, request, () => {});
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 6 }),
        fc.array(step, { maxLength: 4 }),
        fc.array(step, { maxLength: 4 }),
        fc.integer({ min: 1, max: 4 }),
        async (before, during, after, limit) => {
          for (const one of before) await play(one);
          const mirror = createMirror(limit);
          const waiting = [...during];
          await mirror.snapshot(async () => {
            const next = waiting.shift();
            if (next) await play(next);
          });
          for (const one of after) await play(one);
          await mirror.follow();
          expect(mirror.known).toEqual(await truth());
          // And whoever follows from the very beginning knows the same.
          const patient = createMirror(limit);
          await patient.follow();
          expect(patient.known).toEqual(await truth());
        },
      ),
      { numRuns: 8 },
    );
  });

  test('positions have no gaps and follow the order of the commits, whatever rolls back', async () => {
    const lines = await Promise.all([world.aLine(), world.aLine()]);
    for (const line of lines) {
      const failing = world.control.transact(async (tx) => {
        await world.entitlements.grantFromPlan(tx, line, undefined);
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      await world.activate(line);
    }
    const rows = await world.control.read.entitlementChange.findMany({ orderBy: { position: 'asc' } });
    expect(rows.map(({ position }) => Number(position))).toEqual([1, 2, 3, 4]);
  });

  test('carries the number, the kind of change and a cursor to go on from; its end can be asked again later', async () => {
    const line = await world.aLine();
    await world.activate(line);
    const first = await world.entitlements.changes(E_PLUS, { after: undefined, limit: 1 });
    expect(first).toMatchObject({
      hasMore: true,
      items: [{ change: 'granted', at: '2026-11-22T10:00:00.000Z', entitlement: { msisdn: line.msisdn, status: 'active' } }],
    });
    expect(first.items[0]?.cursor).toBe(first.nextCursor);
    const second = await world.entitlements.changes(E_PLUS, { after: first.nextCursor ?? '', limit: 1 });
    expect(second).toMatchObject({ hasMore: false, items: [{}] });
    expect(await world.entitlements.changes(E_PLUS, { after: second.nextCursor ?? '', limit: 1 })).toEqual({
      items: [],
      hasMore: false,
      nextCursor: second.nextCursor,
    });
  });

  test('shows a partner its own, and a narrowed token its markets, without holding its cursor back', async () => {
    await world.activate(await world.aLine());
    const stranger = { partnerId: 'cable-and-wireless', markets: undefined };
    expect(await world.entitlements.changes(stranger, { after: undefined, limit: 9 })).toEqual({
      items: [],
      hasMore: false,
      nextCursor: null,
    });
    expect((await world.entitlements.snapshot(stranger, { after: undefined, limit: 9 })).items).toEqual([]);
    const narrowed = await world.entitlements.changes({ partnerId: 'e-plus', markets: ['DE'] }, { after: undefined, limit: 9 });
    const whole = await world.entitlements.changes(E_PLUS, { after: undefined, limit: 9 });
    expect(narrowed).toEqual({ items: [], hasMore: false, nextCursor: whole.nextCursor });
  });

  test.each([
    '',
    'x',
    'MTIzLjQ',
    Buffer.from('-1').toString('base64url'),
    Buffer.from('9'.repeat(20)).toString('base64url'),
    'A'.repeat(512),
  ])('a cursor that was never handed out (%j) is refused', async (after) => {
    const refused = { code: 'INVALID_ARGUMENT', errors: [{ pointer: '/query/after' }] };
    await expect(world.entitlements.changes(E_PLUS, { after, limit: 9 })).rejects.toMatchObject(refused);
    await expect(world.entitlements.snapshot(E_PLUS, { after, limit: 9 })).rejects.toMatchObject(refused);
  });
});
