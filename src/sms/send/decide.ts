import type { Instant } from '../../kernel/clock.js';
import { multiply } from '../../kernel/money.js';
import type { Partner, PartnerMarket, Sender, SmppLink } from '../../partners/index.js';
import type { RateAt } from '../charges/rates.js';
import type { SmsContext } from '../context.js';
import { blockedRange } from '../guards/blocked-range.js';
import { createQuietUntil } from '../guards/quiet-hours.js';
import type { RecipientFacts, Recipients } from '../guards/recipients.js';
import type { Traffic } from '../guards/traffic.js';
import { createLocalDays } from '../local-time.js';
import { isStopped } from '../opt-outs/opt-out.js';
import { segmentsFor } from '../outbound/submit-fields.js';
import type { SmsPolicies } from '../policy/policies.js';
import { brokenRule, candidates, senderFault, useOfClass } from '../senders/candidates.js';
import type { AskedSms, Decided } from './asked.js';
import { marketByRange } from './read-request.js';
import * as refuse from './refusals.js';

export interface DecideOptions {
  context: Pick<SmsContext, 'clock' | 'domainClock' | 'partners'>;
  policies: Pick<SmsPolicies, 'current'>;
  recipients: Recipients;
  traffic: Traffic;
  rateAt: RateAt;
  /** Takes the way back from a number to a sender for the partner itself. Answers whether it is the partner's now. */
  takeSlot: (asked: AskedSms, market: string, sender: Sender, lineEpoch: number) => Promise<boolean>;
}

/**
 * Decides what becomes of a message that a partner wants sent: where it goes, under which sender, when, and whether at all.
 * It stores nothing; all that it must know of recipients is read for many messages at once.
 *
 * @throws GatewayError the first rule that it breaks.
 */
export type Decide = (asked: AskedSms) => Promise<Decided>;

/** The partner itself, in the place of the account that a conversation has. */
export const partnerAccount = (partnerId: string): string => `partner:${partnerId}`;

const HOUR_SECONDS = 3_600;

export function createDecide({ context, policies, recipients, traffic, rateAt, takeSlot }: DecideOptions): Decide {
  const { clock, domainClock, partners } = context;
  const quietUntil = createQuietUntil();
  const dayOf = createLocalDays();

  /** Where the number is: line data first, then the ranges; a hub reaches what it lists. */
  function marketOf(
    { partner, to, market: wanted, markets }: AskedSms,
    byRange: PartnerMarket | undefined,
    facts: RecipientFacts,
  ): PartnerMarket {
    const { line } = facts;
    const byLine = line?.partnerId === partner.id ? partners.market(partner.id, line.market) : undefined;
    const isElsewhere = line !== undefined && line.partnerId !== partner.id;
    const isReached = partner.kind === 'hub' && partner.reach.some((prefix) => to.startsWith(prefix));
    const named = wanted === undefined ? undefined : partners.market(partner.id, wanted);
    if (wanted !== undefined && !named) throw refuse.noSuchMarket();
    const found = byLine ?? (isElsewhere ? undefined : byRange) ?? (isReached ? (named ?? partner.markets[0]) : undefined);
    if (!found) throw refuse.notOurs();
    if ((named && named.code !== found.code) || (markets && !markets.includes(found.code))) throw refuse.noSuchMarket();
    if (!found.dialable) throw refuse.notDialled();
    return found;
  }

  /** The senders that may carry it, the best first; never none. An answer goes out from where it was asked. */
  function sendersFor(asked: AskedSms, market: string, facts: RecipientFacts): Sender[] {
    const { partner, class: kind, sender: wanted, isAnswer = false } = asked;
    const use = useOfClass(kind);
    const inventory = wanted === undefined ? partner.sms.senders : partner.sms.senders.filter(({ address }) => address === wanted);
    if (wanted !== undefined && inventory.length === 0) throw refuse.unknownSender();
    const ruleOf = (each: Sender) => {
      const rule = brokenRule(each, market, use);
      return isAnswer && rule === 'use' ? undefined : rule;
    };
    const fitting = wanted === undefined ? candidates(inventory, market, use) : inventory.filter((each) => ruleOf(each) === undefined);
    const allowed = fitting.filter(({ group }) => isAnswer || !isStopped(facts.optOuts, kind, group));
    if (fitting.length > 0 && allowed.length === 0) throw refuse.optedOut();
    const free = allowed.filter(({ address, replies }) => isAnswer || !replies || isFree(facts.slots.get(address), partner.id));
    if (free.length > 0) return free;
    const faults = inventory.flatMap((each) => {
      const rule = ruleOf(each) ?? (allowed.includes(each) ? 'conversation' : 'opted-out');
      return [senderFault(each, rule)];
    });
    throw refuse.noSender(faults);
  }

  const isFree = (account: string | undefined, partnerId: string): boolean =>
    account === undefined || account === partnerAccount(partnerId);

  const linkOf = (partner: Partner): SmppLink | undefined => partner.smpp.links.find(({ bindType }) => bindType !== 'receiver');

  function decideNow(asked: AskedSms, byRange: PartnerMarket | undefined, facts: RecipientFacts, now: Instant) {
    const { partner, to, class: kind, isAnswer = false } = asked;
    const policy = policies.current(partner.id);
    const market = marketOf(asked, byRange, facts);
    const link = linkOf(partner);
    if (!link) throw refuse.noLink();
    const range = blockedRange(to, partner.sms.blockedPrefixes, byRange !== undefined);
    if (range) throw refuse.blocked(range);
    if (policy.killSwitch) throw refuse.switchedOff();
    const senders = sendersFor(asked, market.code, facts);
    const [sender] = senders;
    if (!sender) throw refuse.noSender([]);
    const day = dayOf(now, market.timeZone);
    if (!isAnswer) {
      const untilTomorrow = Math.ceil((day.until - now) / 1_000);
      if (facts.todayInAll() >= policy.caps.perRecipientPerDay) throw refuse.capped('recipient', untilTomorrow);
      if (facts.today(sender.address) >= policy.caps.perPairPerDay) throw refuse.capped('pair', untilTomorrow);
    }
    const quiet = isAnswer ? undefined : quietUntil(policy.quietHours, kind, market.timeZone, Math.max(now, asked.sendAt ?? now));
    const at = Math.max(asked.sendAt ?? now, quiet ?? now);
    if (quiet !== undefined && quiet - now >= asked.validForMs) throw refuse.wouldExpire();
    const counted = { partnerId: partner.id, market: market.code, msisdn: to, now, isJudged: kind !== 'notice' };
    const hold = traffic.take(counted, policy);
    if (hold) throw refuse.heldTraffic(hold, HOUR_SECONDS - (Math.floor(now / 1_000) % HOUR_SECONDS));
    return { market, link, senders, quiet, at, counted, release: facts.reserve(sender.address), facts };
  }

  return async function decide(asked) {
    const { partner, to, text, class: kind } = asked;
    const now = domainClock.now(partner.id);
    const byRange = marketByRange(partner, to);
    const zone = byRange?.timeZone ?? partner.markets[0]?.timeZone ?? 'UTC';
    const link = linkOf(partner);
    // Before anything is read: a text that is too long breaks no other rule.
    const { count: segments } = link ? segmentsFor(text, 0, link) : { count: 1 };
    const found = await recipients.ask({
      partnerId: partner.id,
      msisdn: to,
      dayStart: dayOf(now, zone).from,
      decide: (facts) => decideNow(asked, byRange, facts, now),
    });
    const { market, counted, release, quiet, facts } = found;
    const lineEpoch = facts.line?.epoch ?? 0;
    function settle(isStored: boolean): void {
      release();
      if (!isStored) traffic.giveBack(counted);
    }
    try {
      const sender = await firstFree(asked, market.code, found.senders, lineEpoch);
      const wallNow = clock.now();
      const aheadMs = now - wallNow;
      // A message to the app first is held until it is acknowledged there, or its timer fires (send/in-app.ts).
      const inApp = asked.isAnswer ? undefined : facts.accountId;
      const hold =
        inApp !== undefined
          ? ('in-app' as const)
          : quiet !== undefined
            ? ('quiet-hours' as const)
            : asked.sendAt === undefined
              ? undefined
              : ('next-try' as const);
      const until = hold === 'next-try' ? found.at - aheadMs : wallNow + asked.validForMs;
      const rate = rateAt(partner.id, market.code, wallNow);
      return {
        sms: {
          ...{ id: asked.id, partnerId: partner.id, market: market.code, linkId: found.link.id, clientId: asked.clientId },
          externalId: asked.externalId,
          class: kind,
          recipient: to,
          sender: sender.address,
          takesReply: sender.replies,
          text,
          correlator: asked.correlator,
          validForMs: asked.validForMs,
          hold: hold && { until, waitsFor: hold },
          mccMnc: partners.byMsisdn(to)?.market.mccMnc[0] ?? market.mccMnc[0],
          lineEpoch,
        },
        segments,
        price: rate && multiply({ amountMinor: rate.amountMinor, currency: rate.currency }, rate.unit === 'message' ? 1 : segments),
        inApp,
        settle,
      };
    } catch (failure) {
      settle(false);
      throw failure;
    }
  };

  /** Of senders that can be answered the way back must be the partner's own. */
  async function firstFree(asked: AskedSms, market: string, senders: readonly Sender[], lineEpoch: number): Promise<Sender> {
    for (const sender of senders) {
      if (asked.isAnswer || !sender.replies || (await takeSlot(asked, market, sender, lineEpoch))) return sender;
    }
    throw refuse.noSender(senders.map((sender) => senderFault(sender, 'conversation')));
  }
}
