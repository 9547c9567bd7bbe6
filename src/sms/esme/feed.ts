import type { Timer } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import { type Backoff, backoffMs } from '../../kernel/retry.js';
import { isSmppError, STATUS, statusName } from '../../smpp/index.js';
import type { SmsContext } from '../context.js';
import { createTokenBucket } from '../links/token-bucket.js';
import { delayDelivery, endDelivery } from './delivery-operations.js';

/** A delivery as it waits. A type, not an interface, so that it is a row of the store. */
export type DeliveryRow = {
  position: number;
  kind: 'receipt' | 'message';
  fields: string;
  wrapped: string | null;
  attempts: number;
};

/** What waits for the ESME of one account, on its way over whichever receiving bind is up. */
export interface Feed extends Closable {
  /** A hint: something waits, or a bind came up. */
  wake(): void;
  readonly counters: Readonly<FeedCounters>;
  close(): Promise<void>;
}

export interface FeedCounters {
  delivered: number;
  /** Turned away for now, or without an answer. */
  delayed: number;
  /** Turned away for good. */
  refused: number;
}

export interface FeedOptions {
  context: Pick<SmsContext, 'store' | 'clock' | 'log' | 'tasks'>;
  systemId: string;
  /** PDUs a second, at most. */
  perSecond: number;
  /** PDUs that may be on the wire here right now: the windows of the account's receiving binds together. */
  room: () => number;
  /** Whether this node may tell the account: one does at a time. Asked before each page. */
  isMine: () => Promise<boolean>;
  /** The same, as known without asking; asked before each PDU. */
  isStillMine: () => boolean;
  /** Sends it. @throws SmppError. */
  send: (row: DeliveryRow) => Promise<void>;
}

/** Rows read at a time; more than the windows of an account's binds hold. */
const PAGE = 500;
/** After an answer that asks for patience, for each row and for the whole account. */
const ROW_BACKOFF: Backoff = { firstMs: 5_000, maxMs: 600_000 };
const PAUSE_BACKOFF: Backoff = { firstMs: 500, maxMs: 30_000 };

/** The ESME has no room at the moment: the next would meet the same. */
const ASKS_FOR_PATIENCE: ReadonlySet<number> = new Set([STATUS.ESME_RTHROTTLED, STATUS.ESME_RMSGQFUL, STATUS.ESME_RSYSERR]);
/** It has judged this one (§5.1.3); any other status could be another one tomorrow. */
const FOR_GOOD: ReadonlySet<number> = new Set([
  STATUS.ESME_RX_P_APPN,
  STATUS.ESME_RX_R_APPN,
  STATUS.ESME_RINVMSGLEN,
  STATUS.ESME_RINVCMDLEN,
  STATUS.ESME_RINVCMDID,
  STATUS.ESME_RINVSRCADR,
  STATUS.ESME_RINVDSTADR,
  STATUS.ESME_RINVESMCLASS,
  STATUS.ESME_RINVMSGID,
  STATUS.ESME_RINVDCS,
  STATUS.ESME_RINVOPTPARAMVAL,
  STATUS.ESME_ROPTPARNOTALLWD,
]);

/**
 * Delivers what waits for an account in the order it came, within its window and rate, until the ESME has taken it: a row
 * ends only after a deliver_sm_resp of status 0, or of a status that is for good. What got no answer goes again.
 */
export function createFeed(options: FeedOptions): Feed {
  const { context, systemId, perSecond, room, isMine, isStillMine, send } = options;
  const { store, clock, log, tasks } = context;
  const bucket = createTokenBucket(clock, () => perSecond);
  const counters: FeedCounters = { delivered: 0, delayed: 0, refused: 0 };
  const underWay = new Set<number>();
  let pausedUntil = 0;
  let pauses = 0;
  let timer: Timer | undefined;
  let isPumping = false;
  let isAgain = false;
  let isClosed = false;

  function wake(): void {
    if (isClosed) return;
    isAgain = true;
    if (isPumping) return;
    isPumping = true;
    tasks.start('esme feed', async () => {
      try {
        while (isAgain && !isClosed) {
          isAgain = false;
          await pump();
        }
      } finally {
        isPumping = false;
      }
    });
  }

  function later(delayMs: number): void {
    timer?.cancel();
    timer = clock.setTimer(delayMs, wake);
  }

  async function pump(): Promise<void> {
    timer?.cancel();
    if (room() <= underWay.size || !(await isMine())) return;
    const waiting = await store.read<DeliveryRow>(
      `SELECT position, kind, fields, wrapped, attempts FROM sms_esme_delivery
       WHERE system_id = $1 AND state = 'waiting' AND not_before <= $2 ORDER BY not_before, position LIMIT ${PAGE}`,
      [systemId, clock.now()],
    );
    for (const row of waiting) {
      if (isClosed || !isStillMine()) return;
      if (underWay.has(row.position)) continue;
      // What ends this is an answer, which wakes the feed.
      if (underWay.size >= room()) return;
      const delayMs = Math.max(pausedUntil - clock.monotonicMs(), bucket.waitMs());
      if (delayMs > 0) return later(delayMs);
      bucket.take(1);
      start(row);
    }
    const [next] = await store.read<{ at: number | null }>(
      `SELECT MIN(not_before) AS at FROM sms_esme_delivery WHERE system_id = $1 AND state = 'waiting' AND not_before > $2`,
      [systemId, clock.now()],
    );
    if (next?.at != null) later(Math.max(1, Number(next.at) - clock.now()));
  }

  function start(row: DeliveryRow): void {
    underWay.add(row.position);
    tasks.start('esme delivery', async () => {
      try {
        await deliver(row);
      } catch (failure) {
        // A store that is behind, for instance: haste would not help it.
        pause();
        throw failure;
      } finally {
        underWay.delete(row.position);
        wake();
      }
    });
  }

  function pause(): void {
    pausedUntil = clock.monotonicMs() + backoffMs(PAUSE_BACKOFF, ++pauses);
  }

  async function deliver(row: DeliveryRow): Promise<void> {
    const { position } = row;
    try {
      await send(row);
    } catch (failure) {
      return fail(row, failure);
    }
    pauses = 0;
    counters.delivered++;
    await store.run(endDelivery, { position, state: 'done', commandStatus: statusName(STATUS.ESME_ROK) });
  }

  async function fail({ position, attempts }: DeliveryRow, failure: unknown): Promise<void> {
    if (!isSmppError(failure)) {
      // Of our own making, a key that is gone for instance: nobody can be told what it says any more.
      counters.refused++;
      log.error({ systemId, position, failure: failure instanceof Error ? failure.name : typeof failure }, 'esme delivery cannot be built');
      return store.run(endDelivery, { position, state: 'failed', commandStatus: null });
    }
    const { outcome, commandStatus, code } = failure;
    // The bind went, or goes: the next may be another one.
    if (outcome === 'never-sent' && code !== 'SMPP.BAD_PDU') return pause();
    const status = failure.statusName ?? code;
    if (code === 'SMPP.BAD_PDU' || (commandStatus !== undefined && FOR_GOOD.has(commandStatus))) {
      counters.refused++;
      log.warn({ systemId, position, status }, 'esme refused a delivery');
      return store.run(endDelivery, { position, state: 'failed', commandStatus: status });
    }
    counters.delayed++;
    if (commandStatus === undefined || ASKS_FOR_PATIENCE.has(commandStatus)) pause();
    log.info({ systemId, position, status }, 'esme delivery put off');
    const notBefore = clock.now() + backoffMs(ROW_BACKOFF, Number(attempts) + 1);
    return store.run(delayDelivery, { position, attempts: 1, commandStatus: status, notBefore });
  }

  return {
    wake,
    counters,
    async close() {
      isClosed = true;
      timer?.cancel();
    },
  };
}
