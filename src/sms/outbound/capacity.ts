import type { Clock } from '../../kernel/clock.js';
import { createAdaptiveRate } from '../links/adaptive-rate.js';
import type { LinkCounters } from '../links/link-metrics.js';
import type { Bind, OperatorLink } from '../links/open-links.js';
import { createPace } from '../links/pace.js';
import { missingParts, type Opened, type PartAnswer } from './attempts.js';
import { isBusy } from './retry-policy.js';

/** What holds up all that may go. */
export type Shortage = 'link-down' | 'window' | 'rate';

/** What a link takes: places in its binds' windows, segments a second, and the bounds of a sender and of a handset. */
export interface Capacity {
  /** The bind that takes the next, or what it waits for, and how long where that is known. */
  chance(): Bind | { heldBy: Shortage | undefined; forMs?: number };
  /** How long a message has to wait for the bound of its sender, and of its recipient; 0 for each that it need not wait for. */
  waitMs(of: { sender: string; recipient: string }): { sender: number; recipient: number };
  /** Charges its missing parts, and keeps their places in the bind's window until `redeem`. */
  promise(opened: Opened, bind: Bind): void;
  /** Its parts are on the wire and count themselves, or will not go. */
  redeem(opened: Opened, bind: Bind): void;
  /**
   * What the SMSC's answer to a part says of the rate that it grants.
   *
   * @param segments that the part is charged as.
   */
  learn(answer: PartAnswer, segments: number): void;
  /** Segments a second that the SMSC grants at the moment. */
  perSecond(): number;
}

/** What one handset may get at once: a long message is not held up half-way. */
const RECIPIENT_BURST = 10;

export function createCapacity(clock: Clock, link: OperatorLink, counters: LinkCounters): Capacity {
  const { partner, config } = link;
  const rate = createAdaptiveRate(clock, () => Math.max(1, config.segmentsPerSecondMax * link.share()));
  const senderRates = new Map(partner.sms.senders.map((sender) => [sender.address, sender.segmentsPerSecondMax]));
  const senders = createPace(clock, (address) => senderRates.get(address), (perSecond) => Math.max(1, perSecond / 10)); // biome-ignore format: one bound
  const recipients = createPace(
    clock,
    () => config.recipientSegmentsPerSecondMax,
    () => RECIPIENT_BURST,
  );
  /** Places in each bind's window that are promised to messages whose mark is being stored. */
  const promised = new Map<string, number>();

  function freest(): Bind | undefined {
    let best: Bind | undefined;
    let most = 0;
    for (const bind of link.usable()) {
      const free = bind.link.windowSizeMax - bind.link.windowUsed - bind.link.waiting - (promised.get(bind.id) ?? 0);
      if (free > most) [best, most] = [bind, free];
    }
    return best;
  }

  return {
    chance() {
      const bind = freest();
      // Whatever ends this, an answer or a bind that comes up, wakes the lane.
      if (!bind) return { heldBy: link.isBound() ? 'window' : link.isElsewhere() ? undefined : 'link-down' };
      const rateMs = rate.waitMs();
      return rateMs > 0 ? { heldBy: 'rate', forMs: rateMs } : bind;
    },
    waitMs: ({ sender, recipient }) => ({ sender: senders.waitMs(sender), recipient: recipients.waitMs(recipient) }),
    promise(opened, bind) {
      const { recipient, sender } = opened.message;
      const missing = missingParts(opened).length;
      // One PDU that carries a long text is as many segments as the SMSC makes of it.
      const segments = missing === opened.body.segments.length ? opened.body.count : missing;
      promised.set(bind.id, (promised.get(bind.id) ?? 0) + missing);
      rate.take(Math.max(1, segments));
      senders.take(sender, segments);
      recipients.take(recipient, segments);
    },
    redeem(opened, bind) {
      promised.set(bind.id, (promised.get(bind.id) ?? 0) - missingParts(opened).length);
    },
    learn({ part, congestionState }, segments) {
      counters.answered(part, segments);
      if (part.outcome === 'accepted') rate.accepted(segments);
      else if (isBusy(part.commandStatus)) rate.throttled();
      if (congestionState !== undefined) rate.congestion(congestionState);
    },
    perSecond: () => rate.perSecond(),
  };
}
