import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { Bus } from '../bus/index.js';
import { type Fallback, OUTBOX_HINT } from '../engine/index.js';
import type { Clock, DomainClock, Timer } from '../kernel/clock.js';
import { notFound } from '../kernel/errors.js';
import type { KeyWrap } from '../kernel/key-wrap.js';
import type { Log } from '../kernel/log.js';
import { parseReceipt } from '../smpp/index.js';
import { inList, type MessageStore } from '../store/index.js';
import type { Leases } from '../store/leases.js';
import type { SmsContext } from './context.js';
import { createEsmes, ESME_QUEUED, type Esmes } from './esme/create-esmes.js';
import { createSendsByQueue } from './esme/sends-by-queue.js';
import { createTellers } from './esme/tell.js';
import { type BreakerOptions, createBreaker } from './fallbacks/breaker.js';
import { createFallbackWorker } from './fallbacks/worker.js';
import { openHashKey } from './inbound/hash-key.js';
import { createInbound, REPEAT_MS } from './inbound/inbound.js';
import { forgetInbound } from './inbound/operations.js';
import { createReplyRouter } from './inbound/route-reply.js';
import { BIND } from './links/bind-duty.js';
import { gaugesOf } from './links/link-gauges.js';
import { createLinkMetrics } from './links/link-metrics.js';
import { linkKey, type OperatorLink, type OperatorLinkOptions, openOperatorLink } from './links/open-links.js';
import { createPauses, type Pause } from './links/pauses.js';
import { type LinkView, queueReason, showLink } from './links/show-link.js';
import { wireText } from './links/wire-text.js';
import { FINAL_STATES } from './message.js';
import type { Opener } from './opener/index.js';
import { forgetOld } from './operations.js';
import { createChangeOf } from './outbound/change-of.js';
import type { Lane } from './outbound/lane.js';
import { openLane } from './outbound/open-lane.js';
import { createPricing } from './outbound/price.js';
import { createQueue, type SmsQueue } from './outbound/queue.js';
import { forgetKeys } from './outbound/queue-operations.js';
import { createSettler } from './outbound/settle.js';
import type { SmsEngine, SmsPartners } from './ports.js';
import { readSms, type WholeSms } from './read-sms.js';
import { createReceipts } from './receipts/receipts.js';
import { createSerial } from './serial.js';
import { showSms } from './show.js';
import { createTasks, failureFields } from './tasks.js';

export interface SmsOptions {
  /** `store.messages`. */
  store: MessageStore;
  bus: Bus;
  clock: Clock;
  domainClock: DomainClock;
  log: Log;
  engine: SmsEngine;
  partners: SmsPartners;
  opener: Opener;
  /** Encrypts what waits at rest (answers by SMS and their parts). */
  keyWrap: KeyWrap;
  /** Where the simulated SMSC listens, for links whose host is `sandbox`; asked before each try. */
  sandboxSmsc?: (() => { host: string; port: number } | undefined) | undefined;
  /** Claims of fallbacks per partner, at most; 600 a minute and 10,000 an hour. */
  caps?: { perMinute: number; perHour: number } | undefined;
  /** How our own delivery does; while it is sick no fallback is claimed. */
  deliveryHealth?: BreakerOptions['health'];
  /** Where the links' metrics are registered. */
  registry?: Registry | undefined;
  /** Given where several nodes share the database: binds are shared among them, and what a dead node was at is taken up. */
  leases?: Leases | undefined;
  /** How often lost hints are made up for; 1 s. */
  sweepMs?: number | undefined;
}

/** Whose resources somebody may see: a partner's, in the markets that the token covers (undefined = all). */
export interface SmsScope {
  partnerId: string;
  markets: readonly string[] | undefined;
}

export type ShownSms = ReturnType<typeof showSms>;

/** The SMS bridge. */
export interface SmsBridge extends SmsQueue {
  /** The operators' ESMEs. */
  readonly esmes: Pick<Esmes, 'listen' | 'views'>;
  /** @throws GatewayError `NOT_FOUND`. */
  getMessage(scope: SmsScope, smsId: string): Promise<ShownSms>;
  /** Which of these SMS there are: a fallback knows the id of its SMS before there is one, and keeps it when none could be made. */
  whichExist(smsIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Takes back an SMS that has not gone out. `too-late`: it is at the SMSC, may be, or has ended in another way; then
   * nothing changed. One that was cancelled before is cancelled.
   *
   * @throws GatewayError `NOT_FOUND`.
   */
  cancel(scope: SmsScope, smsId: string): Promise<{ outcome: 'cancelled' | 'too-late'; sms: ShownSms }>;
  /** A partner's links, by id. */
  links(partnerId: string): Promise<LinkView[]>;
  /**
   * Nothing is submitted over the link until it is resumed: durable, and known to every node within a second. What is under
   * way is finished, receipts and answers still come in, and what is queued meanwhile waits.
   *
   * @throws GatewayError `NOT_FOUND`.
   */
  pauseLink(partnerId: string, linkId: string, reason?: string): Promise<void>;
  /** @throws GatewayError `NOT_FOUND`. */
  resumeLink(partnerId: string, linkId: string): Promise<void>;
  /** Since when and why a link is paused, as this node knows. */
  pauseOf(partnerId: string, linkId: string): Pause | undefined;
  /** Why a fallback that is due has not been claimed; undefined when nothing holds it. */
  holdReason(fallback: Pick<Fallback, 'partnerId' | 'state' | 'dueAt'>): string | undefined;
  /** A hint: a fallback may have come due (the test clock moved), or something waits. */
  wake(): void;
  /** Resolves when nothing is under way: no claim, submit, receipt or answer. For tests and the drain. */
  idle(): Promise<void>;
  /** Takes nothing new, waits for what is in flight, unbinds. */
  close(): Promise<void>;
}

/** Messages wait for this link: its binds may be another node's. */
const QUEUED = 'sms.queued';
/** A link was paused or resumed. */
const PAUSED = 'sms.link-paused';

const CAPS = { perMinute: 600, perHour: 10_000 };
const SWEEP_MS = 1_000;
/** Rows that one sweep takes of each kind. */
const SWEEP_ROWS = 200;
const HOUR_MS = 3_600_000;
/** Receipts that nobody claimed are kept this long: longer than any message lives. */
const KEPT_MS = 7 * 86_400_000;
/** Answers by SMS, also those that no chat took, are kept as long as the events that tell of them. */
const INBOUND_KEPT_MS = 30 * 86_400_000;

/**
 * Opens the bridge: finishes what a crash interrupted, brings the links up, and works until it is closed. Rows that were
 * being submitted when the process ended have an unknown outcome and are not sent again.
 */
export async function createSms(options: SmsOptions): Promise<SmsBridge> {
  const { store, bus, clock, domainClock, log, engine, partners, opener, keyWrap, leases } = options;
  const processId = leases?.nodeId ?? randomUUID();
  const tasks = createTasks(log);
  const wakeOutbox = () => bus.publish(OUTBOX_HINT, '');
  const shared = { store, clock, domainClock, log, engine, partners, tasks, nodeId: leases?.nodeId };
  const tellers = createTellers(shared, (systemId) => bus.publish(ESME_QUEUED, systemId));
  const context: SmsContext = { ...shared, serial: createSerial(), tellEsme: tellers.tell, wakeOutbox };
  const hashKey = await openHashKey(store, keyWrap);
  const links = new Map<string, OperatorLink>();
  const metrics = createLinkMetrics(options.registry, () =>
    Promise.all([...links].map(([key, link]) => gaugesOf(context, link, lanes.get(key)))),
  );
  const lanes = new Map<string, Lane>();
  const changeOf = createChangeOf(context, createPricing(partners));
  const settler = createSettler(context, changeOf);
  const receipts = createReceipts(context, settler);
  const route = createReplyRouter({ context, opener, keyWrap, toEsme: (message) => esmes.takeMessage(message) });
  const inbound = createInbound({
    context,
    keyWrap,
    hashKey,
    isLive: async (sessionId) =>
      [...links.values()].some((link) => link.isLive(sessionId)) || (leases !== undefined && (await isLiveElsewhere(leases, sessionId))),
    onReceived: (inboundId) => tasks.start('reply', () => routeOnce(inboundId)),
  });
  const breaker = createBreaker({ clock, ...(options.caps ?? CAPS), health: options.deliveryHealth });
  function onQueued(partnerId: string, linkId: string): void {
    const key = linkKey(partnerId, linkId);
    if (leases) bus.publish(QUEUED, key);
    else lanes.get(key)?.look();
  }
  const worker = createFallbackWorker({ context, breaker, onQueued });
  const { queue } = createQueue(context, keyWrap, {
    laneOf: (partnerId, linkId) => lanes.get(linkKey(partnerId, linkId)),
    // Another node may have a bind that is up.
    onStuck: (partnerId, linkId) => leases && bus.publish(QUEUED, linkKey(partnerId, linkId)),
  });
  const cancel = async (smsId: string) => (await settler.end(smsId, 'cancelled', 'cancelled'))?.state === 'cancelled';
  const sends = createSendsByQueue({ context, keyWrap, queue, cancel, onQueued });
  const esmes = createEsmes({ ...{ context, bus, leases, keyWrap, hashKey, tellers }, sends });
  const pauses = createPauses(store);
  const heard = [bus.subscribe(QUEUED, (key) => lanes.get(key)?.look()), bus.subscribe(PAUSED, () => tasks.start('pauses', lookAtPauses))];
  let timer: Timer | undefined;
  let sweeping: Promise<void> | undefined;
  let isAgain = false;
  let forgetAt = Number.NEGATIVE_INFINITY;
  let closed = false;

  const routeOnce = (inboundId: string) => context.serial.run(`route ${inboundId}`, () => route(inboundId));

  const ids = async (sql: string, ...parameters: (string | number)[]): Promise<string[]> =>
    (await store.read<{ id: string }>(`${sql} LIMIT ${SWEEP_ROWS}`, parameters)).map((row) => row.id);

  /** Attempts that nobody is at any more: after a crash, here or of another node, or when the store failed in the middle. */
  async function endAbandoned(): Promise<void> {
    const owners = await store.read<{ by: string | null }>(
      `SELECT DISTINCT submitting_by AS by FROM sms_message WHERE state = 'submitting'`,
    );
    for (const { by } of owners) if (by === null || !leases || by === leases.nodeId || (await leases.isGone(by))) await endAttemptsOf(by);
  }

  async function lookAtPauses(): Promise<void> {
    await pauses.look();
    for (const lane of lanes.values()) lane.wake();
  }

  async function endAttemptsOf(owner: string | null): Promise<void> {
    for (const id of await ids("SELECT id FROM sms_message WHERE state = 'submitting' AND COALESCE(submitting_by, '') = $1", owner ?? '')) {
      if (isBusy(id)) continue;
      const message = await settler.settle(id, ({ submittingBy = '' }) => !isBusy(id) && submittingBy === (owner ?? ''));
      const link = message && links.get(linkKey(message.partnerId, message.linkId));
      if (message?.state === 'unknown' && link) await receipts.resolveUnknown(link, message);
    }
  }

  const isBusy = (smsId: string) => [...lanes.values()].some((lane) => lane.isBusy(smsId));

  /** Each in turn for the rows that it is of; one that fails keeps no other from its turn. */
  const sweeps: Record<string, () => Promise<void>> = {
    pauses: pauses.look,
    abandoned: endAbandoned,
    async untold() {
      for (const id of await ids('SELECT id FROM sms_message WHERE untold = 1')) await settler.settle(id);
    },
    async receipts() {
      const overdue = "SELECT id FROM sms_message WHERE state = 'submitted' AND receipt_due_at <= $1";
      for (const id of await ids(overdue, clock.now())) await settler.giveUp(id);
    },
    async expired() {
      const expired = "SELECT id FROM sms_message WHERE state = 'queued' AND expires_at <= $1";
      for (const id of await ids(expired, clock.now())) if (!isBusy(id)) await settler.end(id, 'expired', 'expired-in-queue');
    },
    async replies() {
      for (const id of await ids("SELECT id FROM sms_inbound WHERE state = 'received'")) await routeOnce(id);
    },
    parts: inbound.endIncomplete,
    claims: () => worker.run(),
    esmes: () => esmes.sweep(),
    async old() {
      if (forgetAt > clock.monotonicMs()) return;
      forgetAt = clock.monotonicMs() + HOUR_MS;
      const now = clock.now();
      await store.run(forgetOld, { repeatsBefore: now - REPEAT_MS, keptBefore: now - KEPT_MS });
      await store.run(forgetKeys, { before: now });
      await esmes.forget();
      await receipts.recover();
      while (!closed && (await store.run(forgetInbound, { before: now - INBOUND_KEPT_MS })));
    },
  };

  async function sweepOnce(): Promise<void> {
    for (const [name, run] of Object.entries(sweeps)) {
      if (closed) return;
      await run().catch((failure: unknown) => log.error({ sweep: name, ...failureFields(failure) }, 'sms sweep failed'));
    }
    for (const lane of lanes.values()) lane.sweep();
  }

  function sweep(): void {
    if (closed) return;
    isAgain = true;
    if (sweeping) return;
    timer?.cancel();
    tasks.start('sweep', async () => {
      sweeping = (async () => {
        while (isAgain && !closed) {
          isAgain = false;
          await sweepOnce();
        }
      })();
      try {
        await sweeping;
      } finally {
        sweeping = undefined;
        if (!closed) timer = clock.setTimer(options.sweepMs ?? SWEEP_MS, sweep);
      }
    });
  }

  function openLink(given: Pick<OperatorLinkOptions, 'partner' | 'config'>): void {
    const link = openOperatorLink({
      ...given,
      sandboxSmsc: options.sandboxSmsc,
      clock,
      log,
      leases,
      processId,
      onChange: () => lanes.get(linkKey(given.partner.id, given.config.id))?.wake(),
      async onDeliver(bind, pdu) {
        const receipt = parseReceipt(pdu, wireText(given.config));
        await (receipt ? receipts.take(link, pdu, receipt) : inbound.take(link, bind, pdu));
      },
    });
    links.set(link.key, link);
    const counters = metrics.countersOf(given.partner.id, given.config.id);
    const pause = () => pauses.of(link.key);
    lanes.set(link.key, openLane({ ...{ context, opener, keyWrap, settler, changeOf, receipts, link, counters }, pause }));
  }

  await pauses.look();
  await receipts.recover();
  for (const partner of partners.all()) for (const config of partner.smpp.links) openLink({ partner, config });
  await worker.recover();
  await recoverReceived();
  await settleBinds();
  leases?.onLook(() => {
    if (!closed) tasks.start('binds', settleBinds);
  });
  leases?.onGone(() => {
    worker.lookForClaims();
    sweep();
  });
  sweep();

  async function settleBinds(): Promise<void> {
    if (leases) await Promise.all([...links.values()].map((link) => link.settle()));
  }

  /** Receipts that were matched right before a crash. */
  async function recoverReceived(): Promise<void> {
    const rows = await store.read<{ id: string }>(
      `SELECT DISTINCT m.id FROM sms_message m JOIN sms_receipt r ON r.sms_id = m.id
       WHERE m.state NOT IN (${FINAL_STATES.map((state) => `'${state}'`).join(', ')}) LIMIT 10000`,
    );
    for (const { id } of rows) await settler.settle(id);
  }

  async function find({ partnerId, markets }: SmsScope, smsId: string): Promise<WholeSms> {
    const sms = await readSms(store, smsId);
    const isVisible = sms?.message.partnerId === partnerId && (markets === undefined || markets.includes(sms.message.market));
    if (!sms || !isVisible) throw notFound('SMS');
    return sms;
  }

  function keyOf(partnerId: string, linkId: string): string {
    const key = linkKey(partnerId, linkId);
    if (!links.has(key)) throw notFound('link');
    return key;
  }

  return {
    queue,
    esmes,
    getMessage: async (scope, smsId) => showSms(await find(scope, smsId)),
    async cancel(scope, smsId) {
      const { message } = await find(scope, smsId);
      // A fallback has its own ways to end.
      if (message.fallbackId === undefined) await settler.end(smsId, 'cancelled', 'cancelled');
      const sms = await find(scope, smsId);
      return { outcome: sms.message.state === 'cancelled' ? 'cancelled' : 'too-late', sms: showSms(sms) };
    },
    async pauseLink(partnerId, linkId, reason) {
      await pauses.pause(keyOf(partnerId, linkId), { reason, at: clock.now() });
      bus.publish(PAUSED, '');
    },
    async resumeLink(partnerId, linkId) {
      await pauses.resume(keyOf(partnerId, linkId));
      bus.publish(PAUSED, '');
    },
    pauseOf: (partnerId, linkId) => pauses.of(keyOf(partnerId, linkId)),
    async whichExist(smsIds) {
      if (smsIds.length === 0) return new Set();
      const { list, values } = inList(smsIds);
      const rows = await store.read<{ id: string }>(`SELECT id FROM sms_message WHERE id IN (${list})`, values);
      return new Set(rows.map(({ id }) => id));
    },
    async links(partnerId) {
      const own = [...links.values()].filter((link) => link.partner.id === partnerId).sort((a, b) => (a.config.id < b.config.id ? -1 : 1));
      return Promise.all(
        own.map(async (link) => {
          const [row] = await store.read<{ n: number }>(
            `SELECT COALESCE(SUM(COALESCE(segment_count, 1)), 0) AS n FROM sms_message
             WHERE link_id = $1 AND partner_id = $2 AND state = 'queued'`,
            [link.config.id, partnerId],
          );
          const reason = queueReason(lanes.get(link.key)?.view()) ?? breaker.reason(partnerId);
          return showLink(link, clock.now(), { waiting: Number(row?.n ?? 0), reason });
        }),
      );
    },
    holdReason: ({ partnerId, state, dueAt }) =>
      state === 'armed' && dueAt <= domainClock.now(partnerId) ? breaker.reason(partnerId) : undefined,
    wake: sweep,
    idle: () => tasks.settled(),
    async close() {
      if (closed) return;
      closed = true;
      timer?.cancel();
      for (const stop of heard) stop();
      await esmes.close();
      for (const lane of lanes.values()) await lane.close();
      // What is on the wire is settled by its links, which wait for the answers; then what they started is waited for.
      await Promise.all([...links.values()].map((link) => link.close()));
      await tasks.settled();
    },
  };
}

/**
 * Whether a session of another node is up. Its word is a moment old, so we wait until the node has said it again: one that
 * died after it took the message, and before the SMSC heard so, never will, and then the message is a repeat.
 */
async function isLiveElsewhere(leases: Leases, sessionId: string): Promise<boolean> {
  const isIts = (detail: string) => detail !== '' && (JSON.parse(detail) as { sessionId?: string }).sessionId === sessionId;
  return (await leases.confirmed(BIND, isIts)) !== undefined;
}
