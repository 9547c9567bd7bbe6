import { randomInt } from 'node:crypto';
import type { ClaimedFallback } from '../../engine/index.js';
import { newId } from '../../kernel/ids.js';
import type { SmppLink } from '../../partners/index.js';
import type { SmsContext } from '../context.js';
import { PRIORITIES } from '../message.js';
import { insertSms } from '../operations.js';
import { chooseSender } from '../outbound/senders.js';
import type { Breaker } from './breaker.js';

export interface FallbackWorker {
  /** Claims what is due of every partner, as far as the breaker lets it, and queues an SMS for each claim. */
  run(): Promise<void>;
  /** Another node has died: what it had claimed is picked up by the next run. */
  lookForClaims(): void;
  /** After a restart: what was claimed and has no SMS yet, and what counts for the caps. */
  recover(): Promise<void>;
}

export interface FallbackWorkerOptions {
  context: SmsContext;
  breaker: Breaker;
  /** An SMS was queued for this link. */
  onQueued: (partnerId: string, linkId: string) => void;
}

const CLAIM_MAX = 200;
const HOUR_MS = 3_600_000;
/** How soon the caps know of other nodes' claims. */
const COUNT_EVERY_MS = 5_000;

export function createFallbackWorker({ context, breaker, onQueued }: FallbackWorkerOptions): FallbackWorker {
  const { store, clock, domainClock, engine, partners, log } = context;
  let isRecovered = false;
  let countedAt = 0;

  async function queue(fallback: ClaimedFallback): Promise<void> {
    const partner = partners.get(fallback.partnerId);
    const link: SmppLink | undefined = partner?.smpp.links.find(({ bindType }) => bindType !== 'receiver');
    if (!partner || !link) return fail(fallback, 'no-route');
    const sender = await chooseSender(context, partner.sms.senders, fallback, fallback.smsId);
    if (!sender) return fail(fallback, 'no-sender');
    const isNew = await store.run(insertSms, {
      id: fallback.smsId,
      partnerId: partner.id,
      market: fallback.market,
      linkId: link.id,
      fallbackId: fallback.id,
      mode: fallback.mode,
      class: fallback.class,
      priority: PRIORITIES[fallback.mode === 'notice' ? 'notice' : fallback.class],
      subscriptionId: fallback.subscriptionId ?? null,
      recipient: fallback.msisdn,
      sender: sender.address,
      takesReply: sender.replies ? 1 : 0,
      correlator: fallback.correlator ?? fallback.messageId,
      reference: randomInt(0x1_0000),
      domainNow: domainClock.now(partner.id),
      wallNow: clock.now(),
      expiresAt: fallback.expiresAt,
    });
    if (isNew) log.info({ smsId: fallback.smsId, fallbackId: fallback.id, linkId: link.id }, 'sms queued');
    onQueued(partner.id, link.id);
  }

  async function fail({ id, smsId, partnerId }: ClaimedFallback, reason: string): Promise<void> {
    log.warn({ fallbackId: id, reason }, 'fallback cannot be sent');
    await engine.fallbacks.advance({ id, from: ['claimed'], to: 'failed', reason, at: domainClock.now(partnerId), smsId });
  }

  async function queueAll(claimed: readonly ClaimedFallback[]): Promise<void> {
    const outcomes = await Promise.allSettled(claimed.map(queue));
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected').length;
    if (failed === 0) return;
    // They stay claimed: the next run picks them up with the ids that they have.
    isRecovered = false;
    log.error({ failed }, 'claimed fallbacks could not be queued');
  }

  async function pickUp(): Promise<void> {
    isRecovered = true;
    const pending = await engine.fallbacks.pendingClaims();
    const queued = await Promise.all(
      pending.map(async ({ smsId }) => (await store.read('SELECT id FROM sms_message WHERE id = $1', [smsId])).length > 0),
    );
    await queueAll(pending.filter((_, index) => !queued[index]));
  }

  async function claim(partnerId: string): Promise<void> {
    for (;;) {
      const limit = Math.min(CLAIM_MAX, breaker.allowance(partnerId));
      if (limit === 0) return;
      const smsIdFor = () => newId('sms', clock.now());
      const claimed = await engine.fallbacks.claimDue({ partnerId, now: domainClock.now(partnerId), limit, smsIdFor });
      breaker.claimed(partnerId, claimed.length);
      await queueAll(claimed);
      if (claimed.length < limit) return;
    }
  }

  /** What counts for the caps is in the database: other nodes claim too, and this one may have been another run before. */
  async function countClaims(): Promise<void> {
    countedAt = clock.monotonicMs();
    const rows = await store.read<{ partner_id: string; minute: number; n: number }>(
      `SELECT partner_id, queued_at / 60000 AS minute, count(*) AS n FROM sms_message
       WHERE queued_at > $1 AND fallback_id IS NOT NULL GROUP BY partner_id, queued_at / 60000`,
      [clock.now() - HOUR_MS],
    );
    breaker.forgetClaims();
    for (const row of rows) breaker.claimed(row.partner_id, Number(row.n), Number(row.minute) * 60_000);
  }

  return {
    async run() {
      if (!isRecovered) await pickUp();
      if (context.nodeId !== undefined && clock.monotonicMs() - countedAt > COUNT_EVERY_MS) await countClaims();
      for (const { id, smpp } of partners.all()) if (smpp.links.length > 0) await claim(id);
    },
    lookForClaims() {
      isRecovered = false;
    },
    async recover() {
      await countClaims();
      await pickUp();
    },
  };
}
