import { createHash, generateKeyPairSync, randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import jsonwebtoken from 'jsonwebtoken';
import { createCatalogue } from '../../src/catalogue/index.js';
import { newId } from '../../src/kernel/ids.js';
import { createLog } from '../../src/kernel/log.js';
import { loadPartners } from '../../src/partners/index.js';
import type { Report } from '../../src/provisioning/index.js';
import type { Subscription } from '../../src/store/models.js';
import { createPermitPlan, createZeroRating, type TrafficSources, type ZeroRatingOptions } from '../../src/zero-rating/index.js';
import { createFakeClock } from '../fakes/clock.js';
import { openTestStore } from '../fakes/store.js';

export const NOW = Date.UTC(2026, 10, 22, 10);
export const registry = await loadPartners(fileURLToPath(new URL('../../partners', import.meta.url)), process.env);
export const ORIGINS = { text: 'https://text.chat.example', media: 'https://media.chat.example', calls: 'https://calls.chat.example' };

/** Keys that sign lists as identity's do: ES256, `kid` in the header; `rotate` replaces the key. */
export function createSigner() {
  const make = () => ({ kid: `k${randomInt(1_000_000)}`, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) });
  let key = make();
  return {
    rotate() {
      key = make();
    },
    sign: async (payload: Readonly<Record<string, unknown>>) =>
      jsonwebtoken.sign(JSON.stringify(payload), key.privateKey, { algorithm: 'ES256', keyid: key.kid }),
    verify: (jws: string): unknown => jsonwebtoken.verify(jws, key.publicKey, { algorithms: ['ES256'] }),
  };
}

/** Zero-rating on a real store with the partners of this repository, the seeded plans and a clock that stands still. */
export async function openWorld(given: Partial<ZeroRatingOptions> & { from?: TrafficSources } = {}) {
  const store = await openTestStore();
  const { control } = store;
  const clock = createFakeClock(NOW);
  const shift = { ms: 0 };
  const domainClock = { now: () => clock.now() + shift.ms };
  const reports: Report[] = [];
  const signer = createSigner();
  const log = createLog('silent');
  const policies = given.policies ?? registry.policies;
  const catalogue = createCatalogue({ control, clock, permitPlan: createPermitPlan(policies) });
  await catalogue.seed();
  const sources = { current: given.from ?? { origins: ORIGINS } };
  const options: ZeroRatingOptions = {
    control,
    clock,
    domainClock,
    log,
    environment: 'sandbox',
    partners: registry,
    policies,
    catalogue,
    report: async (_tx, report) => void reports.push(report),
    sign: signer.sign,
    sources: () => sources.current,
    ...given,
  };
  const zeroRating = createZeroRating(options);

  const planId = async (partnerId: string, market: string, code: string) =>
    (await control.read.plan.findFirstOrThrow({ where: { partnerId, market, code } })).id;

  let count = 0;
  /** An active line of E-Plus in XS with the prepaid messaging SIM, without entitlements, unless told otherwise. */
  async function aLine(facts: Partial<Subscription> = {}, code = 'messaging-sim'): Promise<Subscription> {
    const { partnerId = 'e-plus', market = 'XS' } = facts;
    const msisdn = facts.msisdn ?? `+99957000${String(count++).padStart(4, '0')}`;
    const at = new Date(NOW);
    const row = {
      id: newId('sub', NOW),
      partnerId,
      market,
      status: 'active',
      msisdn,
      liveMsisdn: msisdn,
      iccid: '8999957000000000000',
      simId: newId('sim', NOW),
      planId: facts.planId ?? (await planId(partnerId, market, code)),
      planVersion: 1,
      orderId: newId('ord', NOW),
      authority: 'gateway',
      asOf: at,
      lastConfirmedAt: at,
      activatedAt: at,
      endedAt: null,
      createdAt: at,
      updatedAt: at,
      ...facts,
    };
    return control.transact((tx) => tx.subscription.create({ data: row }));
  }

  return {
    ...zeroRating,
    store,
    control,
    clock,
    shift,
    signer,
    sources,
    reports,
    catalogue,
    options,
    planId,
    aLine,
    activate: (line: Subscription) => control.transact((tx) => zeroRating.entitlements.grantFromPlan(tx, line, 'c-1')),
    async close() {
      await zeroRating.close();
      await store.close();
    },
  };
}

export type World = Awaited<ReturnType<typeof openWorld>>;
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
export const E_PLUS = { partnerId: 'e-plus', markets: undefined, correlator: 'c-1' };
