import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addDuration } from '../../src/zero-rating/entitlements/add-duration.js';
import type { GrantRequest } from '../../src/zero-rating/index.js';
import { E_PLUS, NOW, openWorld, type World } from './world.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(() => world.close());

const grant = (subscriptionId: string, request: GrantRequest = {}, trafficClass = 'messaging-text') =>
  world.entitlements.grant(E_PLUS, { subscriptionId, trafficClass }, request, () => {});
const decide = (msisdn: string, more: { trafficClass?: string; at?: Date } = {}, scope = E_PLUS) =>
  world.entitlements.decide(scope, { msisdn, trafficClass: 'messaging-text', ...more });
const shownOf = async (id: string) => (await world.entitlements.show([id])).get(id) ?? [];

/** A world whose DE permits what its law once did, and another one from a day on. */
const changing = (since: string) => ({
  at: (_market: string, at: number) =>
    at < Date.parse(since)
      ? ({ policy: 'allowed', legalReference: 'None', since: '2000-01-01' } as const)
      : ({ policy: 'application-agnostic-only', legalReference: 'Law 7', since } as const),
});

describe('what a plan includes', () => {
  test('is granted as the line becomes active: cap, throttle, rating of the agreement, one event each', async () => {
    const line = await world.aLine();
    await world.activate(line);
    expect(await shownOf(line.id)).toMatchObject([
      { trafficClass: 'messaging-media', ratingGroup: 100, serviceId: 2 },
      {
        trafficClass: 'messaging-text',
        status: 'active',
        subscriptionId: line.id,
        sponsor: { sponsorId: 'messaging-company' },
        cap: { bytes: 1_000_000_000, period: 'P30D' },
        onExhaust: { action: 'throttle', bitsPerSecond: 56_000 },
        ratingGroup: 100,
        serviceId: 1,
        startsAt: '2026-11-22T10:00:00.000Z',
      },
    ]);
    expect(world.reports.map(({ type, subscriptionId, correlator }) => [type, subscriptionId, correlator])).toEqual([
      ['entitlement.granted', line.id, 'c-1'],
      ['entitlement.granted', line.id, 'c-1'],
    ]);
    expect(JSON.stringify(world.reports)).not.toContain(line.msisdn);
  });

  test('ends when the plan does, in the domain time of the partner', async () => {
    world.shift.ms = 5 * HOUR;
    const line = await world.aLine({ partnerId: 'cable-and-wireless', msisdn: '+999870000001' }, 'pass-7');
    await world.activate(line);
    expect(await shownOf(line.id)).toMatchObject([{ startsAt: '2026-11-22T15:00:00.000Z', endsAt: '2026-11-29T15:00:00.000Z' }]);
  });

  test('is granted once, however often it is asked for', async () => {
    const line = await world.aLine();
    await world.activate(line);
    await world.activate(line);
    expect(await shownOf(line.id)).toHaveLength(2);
    expect(world.reports).toHaveLength(2);
  });

  test('is gone with the transaction that fails', async () => {
    const line = await world.aLine();
    const failing = world.control.transact(async (tx) => {
      await world.entitlements.grantFromPlan(tx, line, undefined);
      throw new Error('the network said no');
    });
    await expect(failing).rejects.toThrow('the network said no');
    expect(await shownOf(line.id)).toEqual([]);
    expect(await world.entitlements.changes(E_PLUS, { after: undefined, limit: 9 })).toEqual({
      items: [],
      hasMore: false,
      nextCursor: null,
    });
  });

  test('in a market whose law has changed the line is activated, and its entitlement frees nothing', async () => {
    const line = await world.aLine({ market: 'DE' });
    await world.activate(line);
    // No rating group is agreed for some classes; those of the plan are.
    expect(await shownOf(line.id)).toMatchObject([
      { trafficClass: 'messaging-media', status: 'suspended' },
      {
        trafficClass: 'messaging-text',
        status: 'suspended',
        reason: expect.stringContaining('Market DE permits only application-agnostic'),
      },
    ]);
    expect(world.reports.map(({ type }) => type)).toEqual(['entitlement.suspended', 'entitlement.suspended']);
    expect(await decide(line.msisdn)).toMatchObject({ applies: false, treatment: 'charged', reasonCode: 'POLICY_FORBIDS' });
  });
});

describe('a grant', () => {
  test('of what the plan lacks needs the kind; the rest has defaults', async () => {
    const { id } = await world.aLine({}, 'units-600');
    await expect(grant(id)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', errors: [{ pointer: '/kind' }] });
    expect(await grant(id, { kind: 'app-specific' })).toMatchObject({
      created: true,
      entitlement: { status: 'active', onExhaust: { action: 'charge' }, startsAt: '2026-11-22T10:00:00.000Z' },
    });
  });

  test('that replaces says what changed, and keeps the id', async () => {
    const { id } = await world.aLine();
    const first = await grant(id);
    const second = await grant(id, { cap: { bytes: 5, period: 'P1D' } });
    expect(second).toMatchObject({ created: false, entitlement: { id: first.entitlement.id, cap: { bytes: 5, period: 'P1D' } } });
    expect(world.reports.at(-1)).toMatchObject({
      type: 'entitlement.updated',
      previous: { cap: { bytes: 1_000_000_000, period: 'P30D' } },
    });
    expect(second.entitlement.updatedAt).not.toBe(first.entitlement.updatedAt);
  });

  test('whose precondition fails changes nothing', async () => {
    const { id } = await world.aLine();
    const { entitlement } = await grant(id);
    const refusing = world.entitlements.grant(E_PLUS, { subscriptionId: id, trafficClass: 'messaging-text' }, {}, (current) => {
      expect(current).toEqual(entitlement);
      throw new Error('stale');
    });
    await expect(refusing).rejects.toThrow('stale');
    expect(await shownOf(id)).toEqual([entitlement]);
  });

  test.each([
    ['app-specific', 422],
    ['open-class', 422],
    ['application-agnostic', 201],
  ] as const)('in Germany of a kind that is %s answers %s', async (kind, status) => {
    const { id } = await world.aLine({ market: 'DE' });
    if (status === 201) await expect(grant(id, { kind })).resolves.toMatchObject({ created: true });
    else
      await expect(grant(id, { kind })).rejects.toMatchObject({
        code: 'ZERO_RATING.NOT_PERMITTED_IN_MARKET',
        errors: [{ pointer: '/kind' }],
      });
  });

  test('that is dated back before the law changed is refused all the same: it would run now', async () => {
    const { id } = await world.aLine({ market: 'DE' });
    await expect(grant(id, { startsAt: new Date('2014-04-07') })).rejects.toMatchObject({ code: 'ZERO_RATING.NOT_PERMITTED_IN_MARKET' });
  });

  test('that is to begin after the law changes is refused today', async () => {
    await world.close();
    world = await openWorld({ policies: changing('2027-01-01') });
    const { id } = await world.aLine();
    await expect(grant(id, { startsAt: new Date('2027-01-01') })).rejects.toMatchObject({ code: 'ZERO_RATING.NOT_PERMITTED_IN_MARKET' });
    await expect(grant(id)).resolves.toMatchObject({ created: true });
  });

  test.each([
    ['a stranger', { partnerId: 'cable-and-wireless', markets: undefined, correlator: 'c' }],
    ['a token of another market', { partnerId: 'e-plus', markets: ['DE'], correlator: 'c' }],
  ])('by %s finds no subscription', async (_, actor) => {
    const { id } = await world.aLine();
    const granting = world.entitlements.grant(actor, { subscriptionId: id, trafficClass: 'messaging-text' }, {}, () => {});
    await expect(granting).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('for a line that is over, for a class without rating, with an end before its start, or a throttle without speed is refused', async () => {
    const ended = await world.aLine({ status: 'ended', liveMsisdn: null });
    const { id } = await world.aLine();
    await expect(grant(ended.id)).rejects.toMatchObject({ code: 'INCOMPATIBLE_STATE' });
    await expect(grant(id, { kind: 'app-specific' }, 'constructor')).rejects.toMatchObject({ code: 'SERVICE_NOT_APPLICABLE', status: 422 });
    await expect(grant(id, { endsAt: new Date(NOW) })).rejects.toMatchObject({ errors: [{ pointer: '/endsAt' }] });
    await expect(grant(id, { onExhaust: { action: 'throttle' } })).rejects.toMatchObject({
      errors: [{ pointer: '/onExhaust/bitsPerSecond' }],
    });
  });
});

describe('time', () => {
  test('an entitlement begins and ends by itself when the time of the partner has come, with an event each', async () => {
    const { id } = await world.aLine();
    await world.start();
    const entitlement = { startsAt: new Date(NOW + HOUR), endsAt: new Date(NOW + DAY) };
    expect(await grant(id, entitlement)).toMatchObject({ entitlement: { status: 'pending' } });
    await world.entitlements.sweep();
    expect(await shownOf(id)).toMatchObject([{ status: 'pending' }]);
    world.shift.ms = HOUR;
    await world.entitlements.sweep();
    expect(await shownOf(id)).toMatchObject([{ status: 'active' }]);
    world.shift.ms = DAY;
    await world.entitlements.sweep();
    await world.entitlements.sweep();
    expect(await shownOf(id)).toMatchObject([{ status: 'ended' }]);
    expect(world.reports.map(({ type }) => type).filter((type) => type.startsWith('entitlement'))).toEqual([
      'entitlement.granted',
      'entitlement.updated',
      'entitlement.ended',
    ]);
  });

  test.each([
    ['2026-01-31T10:00:00Z', 'P1M', '2026-02-28T10:00:00Z'],
    ['2024-02-29T00:00:00Z', 'P1Y', '2025-02-28T00:00:00Z'],
    ['2026-11-22T10:00:00Z', 'P4W', '2026-12-20T10:00:00Z'],
    ['2026-11-22T10:00:00Z', 'P1DT2H3M4S', '2026-11-23T12:03:04Z'],
  ])('%s and %s is %s', (from, duration, until) => {
    expect(addDuration(Date.parse(from), duration)).toBe(Date.parse(until));
  });
});

describe('a decision', () => {
  test('free, and why, with the ids that decided', async () => {
    const line = await world.aLine();
    await world.activate(line);
    expect(await decide(line.msisdn)).toEqual({
      applies: true,
      treatment: 'free',
      reasonCode: 'ENTITLED',
      reason: 'The plan zero-rates messaging-text.',
      entitlementId: expect.stringMatching(/^ent_/),
      planId: line.planId,
      subscriptionId: line.id,
      at: '2026-11-22T10:00:00.000Z',
    });
  });

  test('says so when the network does not use the current list yet', async () => {
    await world.trafficLists.publish();
    const line = await world.aLine();
    await world.activate(line);
    expect(await decide(line.msisdn)).toMatchObject({
      treatment: 'free',
      reason: expect.stringContaining('acknowledged no version of the traffic list'),
    });
    const facts = { version: 1, deployedAt: new Date(NOW) };
    await world.control.transact((tx) => world.trafficLists.acknowledge(tx, E_PLUS, 'messaging-text', facts));
    expect(await decide(line.msisdn)).toMatchObject({ reason: 'The plan zero-rates messaging-text.' });
  });

  test('a number that nobody has, a stranger has, or another market has, looks the same', async () => {
    const line = await world.aLine();
    const { at, ...nobody } = await decide('+999570009999');
    expect(nobody).toMatchObject({ applies: false, treatment: 'charged', reasonCode: 'NO_SUBSCRIPTION' });
    expect(at).toBe('2026-11-22T10:00:00.000Z');
    expect(await decide(line.msisdn, {}, { ...E_PLUS, partnerId: 'cable-and-wireless' })).toEqual({ ...nobody, at });
    expect(
      await world.entitlements.decide({ partnerId: 'e-plus', markets: ['DE'] }, { msisdn: line.msisdn, trafficClass: 'messaging-text' }),
    ).toEqual({ ...nobody, at });
    await expect(decide('0171')).rejects.toMatchObject({ errors: [{ pointer: '/msisdn' }] });
  });

  test.each(['pending', 'suspended', 'terminating'])('a line that is %s carries nothing', async (status) => {
    const line = await world.aLine({ status });
    expect(await decide(line.msisdn)).toMatchObject({
      applies: false,
      treatment: 'blocked',
      reasonCode: 'NOT_ACTIVE',
      subscriptionId: line.id,
    });
  });

  test('a class that the plan lacks, and one that the plan has but the line was never granted', async () => {
    const line = await world.aLine();
    expect(await decide(line.msisdn, { trafficClass: 'voip' })).toMatchObject({
      treatment: 'charged',
      reasonCode: 'NOT_IN_PLAN',
      planId: line.planId,
    });
    expect(await decide(line.msisdn)).toMatchObject({ treatment: 'charged', reasonCode: 'NOT_GRANTED' });
  });

  test('before it begins, while it lasts, and from the very instant of its end', async () => {
    const line = await world.aLine();
    await grant(line.id, { startsAt: new Date(NOW + HOUR), endsAt: new Date(NOW + DAY) });
    await world.control.transact((tx) => tx.entitlement.updateMany({ data: { status: 'active' } }));
    const codes = [NOW, NOW + HOUR - 1, NOW + HOUR, NOW + DAY - 1, NOW + DAY].map(
      async (at) => (await decide(line.msisdn, { at: new Date(at) })).reasonCode,
    );
    expect(await Promise.all(codes)).toEqual(['NOT_STARTED', 'NOT_STARTED', 'ENTITLED', 'ENTITLED', 'ENDED']);
  });

  test('what was granted lawfully stops the day the law changes', async () => {
    await world.close();
    world = await openWorld({ policies: changing('2027-01-01') });
    const line = await world.aLine();
    await world.activate(line);
    expect(await decide(line.msisdn, { at: new Date('2026-12-31') })).toMatchObject({ treatment: 'free' });
    expect(await decide(line.msisdn, { at: new Date('2027-01-01') })).toMatchObject({
      applies: false,
      treatment: 'charged',
      reasonCode: 'POLICY_FORBIDS',
      reason: expect.stringContaining('since 2027-01-01 (Law 7)'),
    });
  });

  test.each([
    ['throttle', 'throttled'],
    ['charge', 'charged'],
    ['block', 'blocked'],
  ] as const)('once the cap is used up and it says %s, the traffic is %s', async (action, treatment) => {
    const line = await world.aLine();
    await grant(line.id, { onExhaust: { action, bitsPerSecond: 56_000 } });
    await world.control.transact((tx) => tx.entitlement.updateMany({ data: { status: 'exhausted' } }));
    expect(await decide(line.msisdn)).toMatchObject({ applies: true, treatment, reasonCode: 'CAP_EXHAUSTED' });
  });

  test('all traffic alike at a low speed without credit: what Germany can have, for every class', async () => {
    await world.close();
    const classes = { all: { ratingGroup: 1, serviceId: 0 } };
    const partner = {
      id: 'e-plus',
      kind: 'operator' as const,
      markets: [{ code: 'DE', timeZone: 'Europe/Berlin' }],
      zeroRating: { classes, delivery: { leadTimeDays: 0, freeze: [] } },
    };
    world = await openWorld({ partners: { all: () => [partner], get: () => partner } });
    const line = await world.aLine({ market: 'DE' }, 'basic-data');
    await world.activate(line);
    expect(await decide(line.msisdn)).toMatchObject({
      applies: true,
      treatment: 'throttled',
      reasonCode: 'ENTITLED',
      reason: expect.stringContaining('64000 bit/s'),
    });
  });
});
