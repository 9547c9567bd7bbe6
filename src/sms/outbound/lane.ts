import type { Timer } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import type { SmsContext } from '../context.js';
import type { Bind, OperatorLink } from '../links/open-links.js';
import type { Pause } from '../links/pauses.js';
import { createTokenBucket } from '../links/token-bucket.js';

/** The queue of one link: what waits in messages.db, and the rules of when the next may go. */
export interface Lane extends Closable {
  /** A hint that something may go now. */
  wake(): void;
  /** Messages that are being submitted right now: no sweep may touch them. */
  isBusy(smsId: string): boolean;
  /** Why what waits has to wait, in words for people; undefined when nothing holds it. */
  reason(): string | undefined;
  close(): Promise<void>;
}

export interface LaneOptions {
  context: SmsContext;
  link: OperatorLink;
  /** Set while nothing may be submitted. */
  pause: () => Pause | undefined;
  /**
   * Submits one message over this bind.
   *
   * @param charge told how many segments it takes, as soon as that is known.
   * @returns `busy` when the SMSC asked us to slow down.
   */
  attempt: (smsId: string, bind: Bind, charge: (segments: number) => void) => Promise<'done' | 'busy'>;
}

/** Rows looked at in one go; more than may be in flight to handsets that already get something. */
const PAGE = 300;
/** After ESME_RTHROTTLED or ESME_RMSGQFUL nothing goes for this long: the next would meet the same. */
const BUSY_PAUSE_MS = 500;

/** Handsets that another node is just sending to: one node knows its own. */
const NOT_UNDER_WAY = `AND NOT EXISTS (SELECT 1 FROM sms_message u WHERE u.link_id = m.link_id AND u.recipient = m.recipient
  AND u.state = 'submitting')`;

export function createLane({ context, link, pause, attempt }: LaneOptions): Lane {
  const { store, clock, tasks } = context;
  const { partner, config } = link;
  const bucket = createTokenBucket(clock, () => Math.max(1, config.segmentsPerSecondMax * link.share()));
  const busy = new Map<string, string>();
  const inFlightMax = config.binds * config.windowSizeMax;
  let pausedUntil = 0;
  let heldBy: string | undefined;
  let timer: Timer | undefined;
  let pumping = false;
  let again = false;
  let closed = false;

  function later(delayMs: number, reason: string | undefined): void {
    heldBy = reason;
    timer?.cancel();
    timer = clock.setTimer(delayMs, wake);
  }

  function wake(): void {
    if (closed) return;
    again = true;
    if (pumping) return;
    pumping = true;
    tasks.start('lane', async () => {
      try {
        while (again && !closed) {
          again = false;
          await pump();
        }
      } finally {
        pumping = false;
      }
    });
  }

  /** One handset gets its messages in the order they were queued: at most one is under way, and none overtakes one that waits. */
  async function pump(): Promise<void> {
    if (pause()) {
      heldBy = 'The link is paused.';
      return;
    }
    const now = clock.now();
    const ready = await store.read<{ id: string; recipient: string }>(
      `SELECT m.id, m.recipient FROM sms_message m WHERE m.link_id = $1 AND m.partner_id = $2 AND m.state = 'queued' AND m.not_before <= $3
         AND NOT EXISTS (SELECT 1 FROM sms_message e WHERE e.link_id = m.link_id AND e.recipient = m.recipient AND e.state = 'queued'
           AND e.id < m.id AND e.priority <= m.priority AND e.not_before > $3) ${context.nodeId === undefined ? '' : NOT_UNDER_WAY}
       ORDER BY m.priority, m.id LIMIT ${PAGE}`,
      [config.id, partner.id, now],
    );
    timer?.cancel();
    heldBy = undefined;
    const recipients = new Set(busy.values());
    for (const row of ready) {
      if (closed) return;
      if (recipients.has(row.recipient)) continue;
      const bind = busy.size < inFlightMax ? link.freest() : undefined;
      if (!bind) {
        // Whatever ends this, an answer or a bind that comes up, wakes the lane.
        heldBy = link.isBound() ? 'The window of every bind is full.' : link.isElsewhere() ? undefined : 'No bind of the link is up.';
        return;
      }
      const pauseMs = pausedUntil - clock.monotonicMs();
      if (pauseMs > 0) return later(pauseMs, 'The link pauses after a refusal.');
      const rateMs = bucket.waitMs();
      if (rateMs > 0) return later(rateMs, 'The link is at its rate.');
      recipients.add(row.recipient);
      start(row.id, row.recipient, bind);
    }
    const [next] = await store.read<{ at: number | null }>(
      `SELECT MIN(not_before) AS at FROM sms_message WHERE link_id = $1 AND partner_id = $2 AND state = 'queued' AND not_before > $3`,
      [config.id, partner.id, now],
    );
    if (next?.at != null) later(Math.max(1, Number(next.at) - clock.now()), 'Messages wait for their next try.');
  }

  function start(smsId: string, recipient: string, bind: Bind): void {
    busy.set(smsId, recipient);
    // One segment is certain; a message of more is charged the rest as soon as it is opened.
    bucket.take(1);
    tasks.start('submit', async () => {
      try {
        const outcome = await attempt(smsId, bind, (segments) => bucket.take(segments - 1));
        if (outcome === 'busy') pausedUntil = clock.monotonicMs() + BUSY_PAUSE_MS;
      } catch (failure) {
        // Of our own making, a store that is behind for instance: the message is where it was, and haste would not help it.
        pausedUntil = clock.monotonicMs() + BUSY_PAUSE_MS;
        throw failure;
      } finally {
        busy.delete(smsId);
        wake();
      }
    });
  }

  return {
    wake,
    isBusy: (smsId) => busy.has(smsId),
    reason: () => heldBy,
    async close() {
      closed = true;
      timer?.cancel();
    },
  };
}
