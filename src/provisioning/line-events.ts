import { type Clock, toRfc3339 } from '../kernel/clock.js';
import { newId } from '../kernel/ids.js';
import { parseMsisdn } from '../kernel/msisdn.js';
import type { AfterCommit, ControlTransaction } from '../store/index.js';
import type { LineEvent } from '../store/models.js';
import type { Actor } from './model.js';
import type { Reporter } from './ports.js';
import { refused } from './refused.js';
import { lineChanged } from './tasks.js';

export interface LineEvents {
  /**
   * Records that something happened to a number. The line's epoch in messages.db rises through the outbox; the caller
   * waits for it before it answers, so that no message armed before reaches whoever has the number now.
   *
   * @throws GatewayError `PROVISIONING.MSISDN_NOT_OURS` naming `/msisdn`.
   */
  record(
    tx: ControlTransaction,
    hints: AfterCommit,
    actor: Actor,
    event: { type: string; msisdn: string; occurredAt?: Date; note?: string },
  ): Promise<LineEvent>;
}

export interface LineEventsOptions {
  clock: Clock;
  /** The partner's market that the number belongs to by its prefix, if any that the actor may see. */
  marketOf(actor: Actor, msisdn: string): string | undefined;
  report: Reporter;
  wakeOutbox(): void;
}

export function createLineEvents({ clock, marketOf, report, wakeOutbox }: LineEventsOptions): LineEvents {
  return {
    async record(tx, hints, actor, { type, msisdn: given, occurredAt, note }) {
      const msisdn = parseMsisdn(given, '/msisdn');
      const market = marketOf(actor, msisdn);
      if (market === undefined) throw refused('PROVISIONING.MSISDN_NOT_OURS', '/msisdn', "is outside the partner's ranges");
      const now = new Date(clock.now());
      const held = await tx.subscription.findFirst({ where: { liveMsisdn: msisdn, partnerId: actor.partnerId }, select: { id: true } });
      const event: LineEvent = await tx.lineEvent.create({
        data: {
          id: newId('lev', clock.now()),
          partnerId: actor.partnerId,
          market,
          type,
          msisdn,
          subscriptionId: held?.id ?? null,
          note: note ?? null,
          occurredAt: occurredAt ?? now,
          createdAt: now,
        },
      });
      await tx.outboxItem.create({ data: lineChanged(event.id, event, type, now) });
      await report(tx, {
        partnerId: actor.partnerId,
        market,
        type: 'line.changed',
        subject: event.id,
        ...(held && { subscriptionId: held.id }),
        resource: showLineEvent(event),
        correlator: actor.correlator,
        summary: 'Something happened to the number: messages armed before it will not go out',
        facts: [{ name: 'type', value: type }],
      });
      hints.afterCommit(wakeOutbox);
      return event;
    },
  };
}

/** The event without the epoch, which only messages.db knows. */
export const showLineEvent = (event: LineEvent) => ({
  id: event.id,
  type: event.type,
  msisdn: event.msisdn,
  market: event.market,
  ...(event.subscriptionId !== null && { subscriptionId: event.subscriptionId }),
  occurredAt: toRfc3339(event.occurredAt.getTime()),
  recordedAt: toRfc3339(event.createdAt.getTime()),
});
