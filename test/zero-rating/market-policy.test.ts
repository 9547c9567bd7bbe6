import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ZeroRatingKind } from '../../src/catalogue/index.js';
import { createPermitPlan, type MarketPolicy } from '../../src/zero-rating/index.js';
import { openWorld, registry, type World } from './world.js';

const KINDS: ZeroRatingKind[] = ['app-specific', 'open-class', 'application-agnostic'];
const TABLE: [MarketPolicy['policy'], ZeroRatingKind[]][] = [
  ['allowed', ['app-specific', 'open-class', 'application-agnostic']],
  ['open-class', ['open-class', 'application-agnostic']],
  ['application-agnostic-only', ['application-agnostic']],
  ['forbidden', []],
];
const plan = (market: string, ...kinds: ZeroRatingKind[]) => ({
  market,
  zeroRating: kinds.map((kind) => ({
    trafficClass: 'messaging-text',
    kind,
    usableAtZeroBalance: true,
    onExhaust: { action: 'charge' as const },
  })),
});
const today = new Date('2026-11-22T10:00:00Z');

describe('market policy', () => {
  test.each(TABLE.flatMap(([policy, permitted]) => KINDS.map((kind) => [policy, kind, permitted.includes(kind)] as const)))(
    'under %s a plan that is %s passes: %s',
    (policy, kind, passes) => {
      const permit = createPermitPlan({ at: () => ({ policy, legalReference: 'Law 1.', since: '2020-01-01' }) });
      const ask = () => permit(plan('DE', kind), today);
      if (passes) expect(ask).not.toThrow();
      else expect(ask).toThrow(expect.objectContaining({ code: 'ZERO_RATING.NOT_PERMITTED_IN_MARKET', status: 422 }));
    },
  );

  test('one class that is not permitted refuses the whole plan; a plan without zero-rating passes everywhere', () => {
    const permit = createPermitPlan(registry.policies);
    expect(() => permit(plan('DE', 'application-agnostic', 'open-class'), today)).toThrow();
    expect(() => permit(plan('DE'), today)).not.toThrow();
  });

  test('the refusal names the market, since when, the legal reference, and what the market may have', () => {
    expect(() => createPermitPlan(registry.policies)(plan('DE', 'app-specific'), today)).toThrow(
      expect.objectContaining({
        detail: expect.stringMatching(
          /^Market DE permits only application-agnostic zero-rating since 2021-09-02 \(CJEU C-854\/19.*\); this is app-specific\.$/,
        ),
        hint: expect.stringContaining('application-agnostic'),
      }),
    );
  });

  test('a market whose law nobody has looked at permits nothing', () => {
    expect(() => createPermitPlan(registry.policies)(plan('ZZ', 'application-agnostic'), today)).toThrow(
      expect.objectContaining({ code: 'ZERO_RATING.NOT_PERMITTED_IN_MARKET' }),
    );
  });

  test('the ruling counts from the first instant of its day in the market', () => {
    const permit = createPermitPlan(registry.policies);
    expect(() => permit(plan('DE', 'app-specific'), new Date('2021-09-01T21:59:59.999Z'))).not.toThrow();
    expect(() => permit(plan('DE', 'app-specific'), new Date('2021-09-01T22:00:00.000Z'))).toThrow();
  });
});

describe('the E-Plus offer of 2014', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });
  afterEach(() => world.close());
  const publish = async (market: string, code: string, at: string) => {
    const planId = await world.planId('e-plus', market, code);
    const scope = { partnerId: 'e-plus', markets: undefined };
    return world.control.transact((tx) => world.catalogue.publish(tx, scope, planId, new Date(at)));
  };

  test('dated today in Germany it is refused and stays a draft', async () => {
    await expect(publish('DE', 'messaging-sim', '2026-11-22T00:00:00Z')).rejects.toMatchObject({
      code: 'ZERO_RATING.NOT_PERMITTED_IN_MARKET',
    });
    expect(await world.control.read.plan.findFirst({ where: { market: 'DE', code: 'messaging-sim' } })).toMatchObject({ status: 'draft' });
  });
  test('dated 7 April 2014 in Germany it passes, as the law then was', async () => {
    expect(await publish('DE', 'messaging-sim', '2014-04-07T00:00:00Z')).toMatchObject({ status: 'published' });
  });
  test('dated today in the sandbox market it passes, and so does all traffic alike in Germany', async () => {
    expect(await publish('XS', 'messaging-sim', '2026-11-22T00:00:00Z')).toMatchObject({ status: 'published' });
    expect(await publish('DE', 'basic-data', '2026-11-22T00:00:00Z')).toMatchObject({ status: 'published' });
  });
});
