import type { Instant } from '../../kernel/clock.js';
import type { SmsContext } from '../context.js';
import { createQuietUntil } from '../guards/quiet-hours.js';
import { messageOf, type SmsMessage } from '../message.js';
import { EVERY_GROUP, isStopped } from '../opt-outs/opt-out.js';
import type { OptOuts } from '../opt-outs/opt-outs.js';
import type { Settler } from '../outbound/settle.js';
import type { SmsPolicies } from '../policy/policies.js';
import { IN_APP_MS } from './asked.js';
import { releaseSms } from './release-operations.js';

export interface Held {
  /**
   * Lets messages go that were held, unless quiet hours hold them now. What is for a number that has another holder by now, or
   * for a subscriber who has opted out meanwhile, ends.
   */
  release(messages: readonly SmsMessage[]): Promise<void>;
  /** When what a message waits for ends, domain time, where it is known. */
  endsAt(message: SmsMessage): Instant | undefined;
  /** Lets go what waited for the end of quiet hours, as far as they have ended. */
  sweep(): Promise<void>;
}

export interface HeldOptions {
  context: Pick<SmsContext, 'store' | 'clock' | 'domainClock' | 'engine' | 'partners'>;
  policies: Pick<SmsPolicies, 'current'>;
  settler: Pick<Settler, 'end'>;
  optOuts: Pick<OptOuts, 'among'>;
  /** A message may go now over this link. */
  onQueued(partnerId: string, linkId: string): void;
}

/** Rows of one step: a market's whole night is let go step by step. */
const STEP_ROWS = 500;
const STEPS_MAX = 20;

export function createHeld({ context, policies, settler, optOuts, onQueued }: HeldOptions): Held {
  const { store, clock, domainClock, engine, partners } = context;
  const quietUntil = createQuietUntil();

  const quietFor = ({ partnerId, market, class: kind }: Pick<SmsMessage, 'partnerId' | 'market' | 'class'>): Instant | undefined => {
    const zone = partners.market(partnerId, market)?.timeZone ?? 'UTC';
    return quietUntil(policies.current(partnerId).quietHours, kind, zone, domainClock.now(partnerId));
  };

  async function release(messages: readonly SmsMessage[]): Promise<void> {
    const recipients = [...new Set(messages.map(({ recipient }) => recipient))];
    const lines = await engine.lines.among(recipients);
    const stopped = new Map(
      await Promise.all(
        [...new Set(messages.map(({ partnerId }) => partnerId))].map(async (id) => [id, await optOuts.among(id, recipients)] as const),
      ),
    );
    const isStoppedNow = ({ partnerId, recipient, sender, class: kind }: SmsMessage): boolean => {
      const group = partners.get(partnerId)?.sms.senders.find(({ address }) => address === sender)?.group ?? EVERY_GROUP;
      return isStopped(stopped.get(partnerId)?.get(recipient) ?? [], kind, group);
    };
    await Promise.all(
      messages.map(async (message) => {
        const { id, version, recipient, lineEpoch, partnerId } = message;
        if (lineEpoch !== undefined && lineEpoch !== (lines.get(recipient)?.epoch ?? 0)) {
          await settler.end(id, 'rejected', 'line-changed');
          return;
        }
        if (isStoppedNow(message)) {
          await settler.end(id, 'rejected', 'opted-out');
          return;
        }
        const waitsFor = quietFor(message) === undefined ? null : 'quiet-hours';
        if (waitsFor !== null && message.waitsFor === waitsFor) return;
        const notBefore = waitsFor === null ? clock.now() : message.expiresAt;
        const isReleased = await store.run(releaseSms, { id, version, notBefore, waitsFor, at: domainClock.now(partnerId) });
        if (isReleased && waitsFor === null) onQueued(partnerId, message.linkId);
      }),
    );
  }

  return {
    release,
    endsAt(message) {
      if (message.waitsFor === 'in-app') return message.createdAt + IN_APP_MS[message.class];
      if (message.waitsFor === 'quiet-hours') return quietFor(message);
      // The row has the wall clock's instant; the reader lives in the partner's domain time.
      return message.notBefore > clock.now() ? message.notBefore + (message.createdAt - message.queuedAt) : undefined;
    },
    async sweep() {
      const kinds = await store.read<{ partner_id: string; market: string; class: string }>(
        `SELECT DISTINCT partner_id, market, class FROM sms_message WHERE state = 'queued' AND waits_for = 'quiet-hours'`,
      );
      for (const { partner_id: partnerId, market, class: kind } of kinds) {
        if (quietFor({ partnerId, market, class: kind as SmsMessage['class'] }) !== undefined) continue;
        for (let step = 0; step < STEPS_MAX; step++) {
          const rows = await store.read(
            `SELECT * FROM sms_message WHERE partner_id = $1 AND market = $2 AND class = $3 AND state = 'queued' AND waits_for = 'quiet-hours'
             ORDER BY id LIMIT ${STEP_ROWS}`,
            [partnerId, market, kind],
          );
          await release(rows.map(messageOf));
          if (rows.length < STEP_ROWS) break;
        }
      }
    },
  };
}
