import type { Fallback, FallbackMode } from '../../engine/index.js';
import type { Instant } from '../../kernel/clock.js';
import type { SmsContext } from '../context.js';
import { blockedRange } from '../guards/blocked-range.js';
import { createQuietUntil } from '../guards/quiet-hours.js';
import type { RecipientFacts, Recipients } from '../guards/recipients.js';
import type { Asked, Traffic } from '../guards/traffic.js';
import { createLocalDays, type LocalDay } from '../local-time.js';
import type { SmsClass } from '../message.js';
import { isStopped } from '../opt-outs/opt-out.js';
import { useOf } from '../outbound/senders.js';
import type { SmsPolicies } from '../policy/policies.js';
import { candidates } from '../senders/candidates.js';

/** What passes now. The others are put off or cancelled, each with its reason. */
export interface Screened {
  claimable: Fallback[];
  /** Gives back what was taken of caps and counts: of those that were not claimed, and of the others once their SMS are there. */
  settle(claimedIds: ReadonlySet<string>): void;
}

export type FallbackScreen = (due: readonly Fallback[]) => Promise<Screened>;

type Verdict = { pass: () => void; asked: Asked } | { defer: Instant; reason: string } | { cancel: string };

/** The class that quiet hours, opt-outs and rules know: a notice is one, whatever the message. */
export const classOf = ({ mode, class: kind }: Pick<Fallback, 'mode' | 'class'>): SmsClass => (mode === 'notice' ? 'notice' : kind);

const HOUR_MS = 3_600_000;
/** Traffic that is unusual is looked at again after this. */
const LOOK_AGAIN_MS = 900_000;

export interface ScreenOptions {
  context: Pick<SmsContext, 'engine' | 'domainClock' | 'partners'>;
  policies: Pick<SmsPolicies, 'current'>;
  recipients: Recipients;
  traffic: Traffic;
}

/** Holds fallbacks that are due against the partner's policy, right before they are claimed. */
export function createFallbackScreen({ context, policies, recipients, traffic }: ScreenOptions): FallbackScreen {
  const { engine, domainClock, partners } = context;
  const quietUntil = createQuietUntil();
  const dayOf = createLocalDays();

  /** Counts of this batch on top of those that were read. */
  async function readCounts(due: readonly Fallback[], dayFor: (fallback: Fallback) => LocalDay) {
    const pairs = new Map<string, number>();
    const modes = new Map<string, number>();
    for (const partnerId of new Set(due.map((fallback) => fallback.partnerId))) {
      const own = due.filter((fallback) => fallback.partnerId === partnerId);
      for (const since of new Set(own.map((fallback) => dayFor(fallback).from))) {
        const msisdns = [...new Set(own.filter((fallback) => dayFor(fallback).from === since).map(({ msisdn }) => msisdn))];
        for (const { msisdn, senderAccountId, n } of await engine.fallbacks.claimedByPair({ partnerId, msisdns, since }))
          pairs.set(`${msisdn} ${senderAccountId}`, n);
      }
      for (const [mode, { perDayMax }] of Object.entries(policies.current(partnerId).modes) as [FallbackMode, { perDayMax?: number }][]) {
        if (perDayMax === undefined) continue;
        for (const fallback of own.filter((each) => each.mode === mode)) {
          const key = `${partnerId} ${fallback.market} ${mode}`;
          const asked = { partnerId, market: fallback.market, mode, since: dayFor(fallback).from };
          if (!modes.has(key)) modes.set(key, await engine.fallbacks.countClaimedSince(asked));
        }
      }
    }
    return { pairs, modes };
  }

  return async function screen(due) {
    const zoneOf = ({ partnerId, market }: Fallback) => partners.market(partnerId, market)?.timeZone ?? 'UTC';
    const dayFor = (fallback: Fallback) => dayOf(domainClock.now(fallback.partnerId), zoneOf(fallback));
    const { pairs, modes } = await readCounts(due, dayFor);

    function judge(fallback: Fallback, facts: RecipientFacts): Verdict {
      const { partnerId, market, mode, msisdn, senderAccountId } = fallback;
      const partner = partners.get(partnerId);
      const policy = policies.current(partnerId);
      const now = domainClock.now(partnerId);
      const kind = classOf(fallback);
      if (!partner) return { cancel: 'no-partner' };
      if (!policy.modes[mode].allowed) return { cancel: 'mode-not-allowed' };
      const isOwn = partners.market(partnerId, market)?.msisdnPrefixes.some((prefix) => msisdn.startsWith(prefix)) ?? false;
      const range = blockedRange(msisdn, partner.sms.blockedPrefixes, isOwn);
      if (range) return { cancel: range };
      const senders = candidates(partner.sms.senders, market, useOf(fallback));
      if (senders.length > 0 && senders.every(({ group }) => isStopped(facts.optOuts, kind, group))) return { cancel: 'opted-out' };
      const quiet = quietUntil(policy.quietHours, kind, zoneOf(fallback), now);
      if (quiet !== undefined) return { defer: quiet, reason: 'quiet-hours' };
      const tomorrow = dayFor(fallback).until;
      const modeKey = `${partnerId} ${market} ${mode}`;
      const ofMode = modes.get(modeKey);
      if (ofMode !== undefined && ofMode >= (policy.modes[mode].perDayMax ?? Number.POSITIVE_INFINITY))
        return { defer: tomorrow, reason: 'cap-mode-day' };
      if (facts.todayInAll() >= policy.caps.perRecipientPerDay) return { defer: tomorrow, reason: 'cap-recipient' };
      const pairKey = `${msisdn} ${senderAccountId}`;
      const ofPair = pairs.get(pairKey) ?? 0;
      if (ofPair >= policy.caps.perPairPerDay) return { defer: tomorrow, reason: 'cap-pair' };
      const asked: Asked = { partnerId, market, msisdn, now, isJudged: true };
      const hold = traffic.take(asked, policy);
      if (hold === 'cap-market-hour') return { defer: (Math.floor(now / HOUR_MS) + 1) * HOUR_MS, reason: hold };
      if (hold) return { defer: now + LOOK_AGAIN_MS, reason: hold };
      if (ofMode !== undefined) modes.set(modeKey, ofMode + 1);
      pairs.set(pairKey, ofPair + 1);
      return { pass: facts.reserve(''), asked };
    }

    const verdicts = await Promise.all(
      due.map((fallback) => {
        const { partnerId, msisdn } = fallback;
        return recipients.ask<Verdict>({ partnerId, msisdn, dayStart: dayFor(fallback).from, decide: (facts) => judge(fallback, facts) });
      }),
    );
    await Promise.all(
      due.map(async (fallback, index) => {
        const verdict = verdicts[index];
        const at = domainClock.now(fallback.partnerId);
        if (verdict && 'defer' in verdict)
          await engine.fallbacks.defer({ id: fallback.id, until: verdict.defer, reason: verdict.reason, at });
        else if (verdict && 'cancel' in verdict)
          await engine.fallbacks.advance({ id: fallback.id, from: ['armed'], to: 'cancelled', reason: verdict.cancel, at });
      }),
    );
    const passed = due.flatMap((fallback, index) => {
      const verdict = verdicts[index];
      return verdict && 'pass' in verdict ? [{ fallback, verdict }] : [];
    });
    return {
      claimable: passed.map(({ fallback }) => fallback),
      settle(claimedIds) {
        for (const { fallback, verdict } of passed) {
          verdict.pass();
          if (!claimedIds.has(fallback.id)) traffic.giveBack(verdict.asked);
        }
      },
    };
  };
}
