import type { Instant, Timer } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import type { SmsContext } from '../context.js';
import { createAdaptiveRate } from '../links/adaptive-rate.js';
import type { LinkCounters } from '../links/link-metrics.js';
import type { Bind, OperatorLink } from '../links/open-links.js';
import { createPace } from '../links/pace.js';
import type { Pause } from '../links/pauses.js';
import { PRIORITIES, type SmsMessage, type SmsPart, type WaitsFor } from '../message.js';
import { type Attempts, type Ended, missingParts, type Opened, type PartAnswer, type Refusal } from './attempts.js';
import { createBacklog } from './backlog.js';
import type { SmsBody } from './body.js';
import { isBusy } from './retry-policy.js';
import { createWaitingRoom, type Waiting } from './waiting-room.js';

/** Why a message is not on its way to the SMSC. `turn`: others are before it. */
export type WaitingReason = WaitsFor | 'paused' | 'link-down' | 'window' | 'rate' | 'turn';

/** A message whose row will be stored as `submitting`, since it can go at once. */
export interface Admission {
  /** As its row is to be. */
  readonly message: SmsMessage;
}

/** What the lane is at. */
export interface LaneView {
  readonly paused: Pause | undefined;
  /** What holds up those that may go now. */
  readonly heldBy: 'paused' | 'link-down' | 'window' | 'rate' | undefined;
  /** Segments a second that the SMSC grants at the moment. */
  readonly perSecond: number;
  readonly underWay: number;
  /** Whether messages wait for an instant: their next try, or an hour of the day. */
  readonly isDeferred: boolean;
}

/** The queue of one link: whose turn it is, and whether the link takes it now. */
export interface Lane extends Closable {
  /** A hint that something may go now. */
  wake(): void;
  /** A hint that the database has messages that this node has not been handed. */
  look(): void;
  /** What a lost hint forgot: other nodes' messages, and all that there is while nothing is in memory. */
  sweep(): void;
  /** Takes a message that has just been stored. One that finds no room is read from the database later. */
  offer(message: SmsMessage, content: SmsBody | undefined): void;
  /**
   * Asks whether a message that is about to be stored can go at once. It then has its place in the window, and either
   * `begin` or `abandon` follows.
   */
  admit(message: SmsMessage, content: SmsBody): Admission | undefined;
  begin(admission: Admission): void;
  abandon(admission: Admission): void;
  /** Messages that are being submitted right now: no sweep may touch them. */
  isBusy(smsId: string): boolean;
  /** Why a queued message waits. */
  reasonFor(message: Pick<SmsMessage, 'notBefore' | 'waitsFor'>): WaitingReason;
  view(): LaneView;
  close(): Promise<void>;
}

export interface LaneOptions {
  context: SmsContext;
  link: OperatorLink;
  attempts: Attempts;
  counters: LinkCounters;
  /** Set while nothing may be submitted. */
  pause: () => Pause | undefined;
  /** A row's mark before the first octet is on the wire, durable. Answers whether this caller made it. */
  mark: (opened: Opened) => Promise<boolean>;
  /** It will not go out. */
  refuse: (smsId: string, refusal: Refusal) => Promise<unknown>;
  /** An attempt of ours has ended, durably. */
  onEnd: (ended: Ended, accepted: readonly SmsPart[]) => Promise<void>;
}

/** Of a class, what is read from the database at a time, and how many of it are in memory at most. */
const PAGE = 500;
const IN_MEMORY_MAX = 2_000;
/** Messages that wait for their next try and are kept in memory; those beyond are read again. */
const DEFERRED_MAX = 20_000;
/** After a failure of our own, a store that is behind for instance, haste would not help. */
const FAILURE_PAUSE_MS = 500;
/** What one handset may get at once: a long message is not held up half-way. */
const RECIPIENT_BURST = 10;

const CLASSES = Object.values(PRIORITIES);

/** A message in memory. */
interface Item extends Waiting {
  readonly message: SmsMessage;
  readonly parts: readonly SmsPart[];
  readonly content: SmsBody | undefined;
}

interface UnderWay extends Admission {
  readonly item: Item;
  opened?: Opened;
  bind?: Bind;
}

export function createLane(options: LaneOptions): Lane {
  const { context, link, attempts, counters, pause } = options;
  const { store, clock, tasks, nodeId } = context;
  const { partner, config } = link;
  const now = () => clock.now();
  const backlog = createBacklog(store, { partnerId: partner.id, linkId: config.id }, now);
  const room = createWaitingRoom<Item>(now);
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
  const underWay = new Map<string, UnderWay>();
  /** Opened, and next as soon as the link takes one: opening took a moment in which another had the place. */
  const ready: { item: Item; opened: Opened }[] = [];
  /** Of each class: after which id the database has more, undefined when all of it is in memory; and whether one found no room since. */
  const unread = CLASSES.map((): { after: string | undefined; missed: boolean } => ({ after: '', missed: false }));
  let isRead = true;
  let dueAt: Instant | undefined;
  let heldBy: LaneView['heldBy'];
  let failedUntil = 0;
  let timer: { at: number; timer: Timer } | undefined;
  let isWoken = false;
  let isReading = false;
  let closed = false;

  // Whether the link takes one more

  function freest(): Bind | undefined {
    let best: Bind | undefined;
    let most = 0;
    for (const bind of link.usable()) {
      const free = bind.link.windowSizeMax - bind.link.windowUsed - bind.link.waiting - (promised.get(bind.id) ?? 0);
      if (free > most) [best, most] = [bind, free];
    }
    return best;
  }

  /** The bind that takes the next, or what holds it up. */
  function chance(): Bind | { heldBy: LaneView['heldBy']; forMs?: number } {
    if (pause()) return { heldBy: 'paused' };
    const failedMs = failedUntil - clock.monotonicMs();
    if (failedMs > 0) return { heldBy: undefined, forMs: failedMs };
    const bind = freest();
    // Whatever ends this, an answer or a bind that comes up, wakes the lane.
    if (!bind) return { heldBy: link.isBound() ? 'window' : link.isElsewhere() ? undefined : 'link-down' };
    const rateMs = rate.waitMs();
    return rateMs > 0 ? { heldBy: 'rate', forMs: rateMs } : bind;
  }

  function wakeIn(delayMs: number): void {
    const at = clock.monotonicMs() + delayMs;
    if (timer && timer.at <= at && timer.at > clock.monotonicMs()) return;
    timer?.timer.cancel();
    timer = { at, timer: clock.setTimer(delayMs, wake) };
  }

  // Whose turn it is

  function wake(): void {
    if (closed || isWoken) return;
    isWoken = true;
    tasks.start('lane', async () => {
      // Whoever wakes it in this turn of the event loop is heard at once.
      await new Promise<void>((resolve) => setImmediate(resolve));
      isWoken = false;
      pump();
      await read();
    });
  }

  function pump(): void {
    while (!closed) {
      const bind = chance();
      if (!('link' in bind)) {
        heldBy = bind.heldBy;
        if (bind.forMs !== undefined) wakeIn(bind.forMs);
        return;
      }
      const opened = ready.shift();
      if (opened) start(opened.item, opened.opened, bind);
      else {
        const item = room.next();
        if (!item) break;
        if (mayGo(item)) openFor(item, bind);
      }
    }
    heldBy = undefined;
    const next = [room.nextDueAt(), dueAt].filter((at) => at !== undefined);
    if (next.length > 0) wakeIn(Math.max(1, Math.min(...next) - clock.now()));
  }

  /** By the bounds of its sender and of its recipient, and by its validity. */
  function mayGo(item: Item): boolean {
    if (item.message.expiresAt <= clock.now()) {
      drop(item, { refused: 'expired', reason: 'expired-in-queue' });
      return false;
    }
    const senderMs = senders.waitMs(item.sender);
    const recipientMs = recipients.waitMs(item.recipient);
    if (senderMs > 0) room.holdSender(item.sender, clock.now() + senderMs);
    if (senderMs === 0 && recipientMs === 0) return true;
    room.putBack(item, clock.now() + Math.max(senderMs, recipientMs));
    return false;
  }

  function openFor(item: Item, bind: Bind): void {
    const opened = attempts.open(item.message, item.parts, item.content);
    if (opened instanceof Promise) {
      underWay.set(item.id, { item, message: item.message });
      tasks.start('open', async () => {
        const result = await opened.catch((): Refusal => ({ refused: 'rejected', reason: 'text-failed' }));
        if ('refused' in result) drop(item, result);
        else ready.push({ item, opened: result });
        wake();
      });
    } else if ('refused' in opened) drop(item, opened);
    else start(item, opened, bind);
  }

  function drop(item: Item, refusal: Refusal): void {
    tasks.start('refuse', async () => {
      await options.refuse(item.id, refusal);
      underWay.delete(item.id);
      room.release(item);
      wake();
    });
  }

  // On its way

  function promise(opened: Opened, bind: Bind): void {
    const { recipient, sender } = opened.message;
    const missing = missingParts(opened).length;
    // One PDU that carries a long text is as many segments as the SMSC makes of it.
    const segments = missing === opened.body.segments.length ? opened.body.count : missing;
    promised.set(bind.id, (promised.get(bind.id) ?? 0) + missing);
    rate.take(Math.max(1, segments));
    senders.take(sender, segments);
    recipients.take(recipient, segments);
  }

  function redeem(opened: Opened, bind: Bind): void {
    promised.set(bind.id, (promised.get(bind.id) ?? 0) - missingParts(opened).length);
  }

  function marked(opened: Opened): SmsMessage {
    const { message, body } = opened;
    return {
      ...message,
      state: 'submitting',
      reason: undefined,
      waitsFor: undefined,
      attempts: message.attempts + 1,
      encoding: body.encoding === 'gsm0338' ? 'gsm7' : body.encoding,
      segmentCount: body.count,
      pduCount: body.segments.length,
      submittingBy: nodeId,
    };
  }

  function start(item: Item, opened: Opened, bind: Bind): void {
    promise(opened, bind);
    underWay.set(item.id, { item, message: item.message, opened, bind });
    tasks.start('submit', async () => {
      let isMarked = false;
      try {
        isMarked = await options.mark(opened);
      } catch (failure) {
        redeem(opened, bind);
        fail(item);
        throw failure;
      }
      redeem(opened, bind);
      if (isMarked) await submit(item, opened, { ...marked(opened), version: item.message.version + 1 }, bind);
      else {
        // Cancelled, expired, replaced, or another node's meanwhile: the database knows.
        end(item);
        look();
      }
    });
  }

  async function submit(item: Item, opened: Opened, message: SmsMessage, bind: Bind): Promise<void> {
    const accepted: SmsPart[] = [];
    const perPart = opened.body.count / opened.body.segments.length;
    let ended: Ended | undefined;
    try {
      ended = await attempts.submit(opened, message, bind, (answer) => {
        learn(answer, perPart);
        if (answer.part.outcome === 'accepted') accepted.push(answer.part);
        // A place in the window is free; the message itself ends with its commit.
        wake();
      });
    } catch (failure) {
      // Its row says `submitting`: what the SMSC has of it is not known, and the sweep ends it.
      fail(item);
      throw failure;
    }
    if (ended) await options.onEnd(ended, accepted);
    end(item, ended && { ...item, ...ended });
  }

  function learn({ part, congestionState }: PartAnswer, segments: number): void {
    counters.answered(part, segments);
    if (part.outcome === 'accepted') rate.accepted(segments);
    else if (isBusy(part.commandStatus)) rate.throttled();
    if (congestionState !== undefined) rate.congestion(congestionState);
  }

  /** @param again where it is to be tried again. */
  function end(item: Item, again?: Item): void {
    underWay.delete(item.id);
    if (again?.message.state !== 'queued') room.release(item);
    else if (again.message.notBefore <= clock.now()) room.putBack(again);
    else if (room.size < DEFERRED_MAX) room.defer(again, again.message.notBefore);
    else {
      dueAt = Math.min(dueAt ?? again.message.notBefore, again.message.notBefore);
      room.release(item);
    }
    wake();
  }

  function fail(item: Item): void {
    failedUntil = clock.monotonicMs() + FAILURE_PAUSE_MS;
    underWay.delete(item.id);
    room.release(item);
    look();
  }

  // What the database has

  function look(): void {
    for (const place of unread) place.after = '';
    isRead = false;
    wake();
  }

  async function read(): Promise<void> {
    if (isReading || closed) return;
    isReading = true;
    try {
      if (dueAt !== undefined && dueAt <= clock.now()) look();
      let isMore = false;
      for (const priority of CLASSES) isMore = (await readClass(priority)) || isMore;
      if (!isRead && unread.every(({ after }) => after === undefined)) {
        isRead = true;
        dueAt = await backlog.nextDueAt();
        if (dueAt !== undefined) wakeIn(Math.max(1, dueAt - clock.now()));
      }
      if (isMore) wake();
    } finally {
      isReading = false;
    }
  }

  /** @returns whether something came in. */
  async function readClass(priority: number): Promise<boolean> {
    const place = unread[priority];
    let isMore = false;
    while (place?.after !== undefined && room.count(priority) < IN_MEMORY_MAX / 2 && !closed) {
      const { after } = place;
      place.missed = false;
      const rows = await backlog.read(priority, after, PAGE);
      for (const { message, parts } of rows) {
        if (room.has(message.id) || underWay.has(message.id)) continue;
        room.add(itemOf(message, parts, undefined));
        isMore = true;
      }
      // Somebody asked for a look from the beginning meanwhile.
      if (place.after !== after) continue;
      place.after = rows.length === PAGE ? rows.at(-1)?.message.id : place.missed ? '' : undefined;
    }
    return isMore;
  }

  const itemOf = (message: SmsMessage, parts: readonly SmsPart[], content: SmsBody | undefined): Item => ({
    ...{ id: message.id, priority: message.priority, recipient: message.recipient, sender: message.sender },
    ...{ message, parts, content },
  });

  const isWhole = (priority: number): boolean => unread.every(({ after }, kind) => kind > priority || after === undefined);

  return {
    wake,
    look,
    sweep() {
      if (nodeId !== undefined || (room.size === 0 && underWay.size === 0)) look();
      else wake();
    },
    offer(message, content) {
      const place = unread[message.priority];
      if (message.notBefore > clock.now()) {
        dueAt = Math.min(dueAt ?? message.notBefore, message.notBefore);
      } else if (place?.after === undefined && room.count(message.priority) < IN_MEMORY_MAX) {
        if (!room.has(message.id) && !underWay.has(message.id)) room.add(itemOf(message, [], content));
      } else if (place) {
        place.missed = true;
        place.after ??= '';
      }
      wake();
    },
    admit(message, content) {
      // Among nodes the mark itself sees to it that one handset's messages keep their order.
      if (closed || nodeId !== undefined || message.notBefore > clock.now() || !isWhole(message.priority) || ready.length > 0)
        return undefined;
      const bind = chance();
      if (!('link' in bind)) return undefined;
      if (senders.waitMs(message.sender) > 0 || recipients.waitMs(message.recipient) > 0) return undefined;
      const item = itemOf(message, [], content);
      if (!room.admit(item)) return undefined;
      const opened = attempts.open(message, [], content);
      if (opened instanceof Promise || 'refused' in opened) {
        room.release(item);
        return undefined;
      }
      promise(opened, bind);
      const admission: UnderWay = { item, opened, bind, message: marked(opened) };
      underWay.set(item.id, admission);
      return admission;
    },
    begin({ message: { id } }) {
      const admission = underWay.get(id);
      const { opened, bind } = admission ?? {};
      if (!admission || !opened || !bind) return;
      redeem(opened, bind);
      tasks.start('submit', () => submit(admission.item, opened, admission.message, bind));
    },
    abandon({ message: { id } }) {
      const admission = underWay.get(id);
      if (!admission?.opened || !admission.bind) return;
      redeem(admission.opened, admission.bind);
      end(admission.item);
    },
    isBusy: (smsId) => underWay.has(smsId),
    reasonFor({ notBefore, waitsFor }) {
      if (notBefore > clock.now()) return waitsFor ?? 'next-try';
      if (pause()) return 'paused';
      if (!link.isBound() && !link.isElsewhere()) return 'link-down';
      return heldBy ?? 'turn';
    },
    view: () => ({
      paused: pause(),
      heldBy,
      perSecond: rate.perSecond(),
      underWay: underWay.size,
      isDeferred: room.nextDueAt() !== undefined || dueAt !== undefined,
    }),
    async close() {
      closed = true;
      timer?.timer.cancel();
    },
  };
}
