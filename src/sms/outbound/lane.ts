import type { Timer } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import type { SmsContext } from '../context.js';
import type { LinkCounters } from '../links/link-metrics.js';
import type { Bind, OperatorLink } from '../links/open-links.js';
import type { Pause } from '../links/pauses.js';
import type { SmsMessage, SmsPart, WaitsFor } from '../message.js';
import type { Attempts, Ended, Opened, Refusal } from './attempts.js';
import { createBacklog } from './backlog.js';
import type { SmsBody } from './body.js';
import { createCapacity, type Shortage } from './capacity.js';
import { createBacklogReader } from './read-backlog.js';
import { createWaitingRoom, type Waiting } from './waiting-room.js';

/** Why a message is not on its way to the SMSC. `turn`: others are before it. */
export type WaitingReason = WaitsFor | 'paused' | Shortage | 'turn';

/** A message whose row will be stored as `submitting`, since it can go at once. */
export interface Admission {
  /** As its row is to be. */
  readonly message: SmsMessage;
}

/** What the lane is at. */
export interface LaneView {
  readonly paused: Pause | undefined;
  /** What holds up those that may go now. */
  readonly heldBy: 'paused' | Shortage | undefined;
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

/** Of a class, in memory at most. */
const IN_MEMORY_MAX = 2_000;
/** Messages that wait for their next try and are kept in memory; those beyond are read again. */
const DEFERRED_MAX = 20_000;
/** After a failure of our own, a store that is behind for instance, haste would not help. */
const FAILURE_PAUSE_MS = 500;

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
  const room = createWaitingRoom<Item>(now);
  const capacity = createCapacity(clock, link, counters);
  const underWay = new Map<string, UnderWay>();
  /** Opened, and next as soon as the link takes one: opening took a moment in which another had the place. */
  const ready: { item: Item; opened: Opened }[] = [];
  const reader = createBacklogReader({
    backlog: createBacklog(store, { partnerId: partner.id, linkId: config.id }, now),
    now,
    roomFor: (priority) => room.count(priority) < IN_MEMORY_MAX / 2,
    take({ message, parts }) {
      if (isInMemory(message.id)) return false;
      room.add(itemOf(message, parts, undefined));
      return true;
    },
    isClosed: () => closed,
  });
  let heldBy: LaneView['heldBy'];
  let failedUntil = 0;
  let timer: { at: number; timer: Timer } | undefined;
  let isWoken = false;
  let closed = false;

  const isInMemory = (smsId: string): boolean => room.has(smsId) || underWay.has(smsId);

  /** The bind that takes the next, or what holds it up. */
  function chance(): Bind | { heldBy: LaneView['heldBy']; forMs?: number } {
    if (pause()) return { heldBy: 'paused' };
    const failedMs = failedUntil - clock.monotonicMs();
    return failedMs > 0 ? { heldBy: undefined, forMs: failedMs } : capacity.chance();
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
    const next = [room.nextDueAt(), reader.dueAt()].filter((at) => at !== undefined);
    if (next.length > 0) wakeIn(Math.max(1, Math.min(...next) - clock.now()));
  }

  /** By the bounds of its sender and of its recipient, and by its validity. */
  function mayGo(item: Item): boolean {
    if (item.message.expiresAt <= clock.now()) {
      drop(item, { refused: 'expired', reason: 'expired-in-queue' });
      return false;
    }
    const waitMs = capacity.waitMs(item);
    if (waitMs.sender > 0) room.holdSender(item.sender, clock.now() + waitMs.sender);
    if (waitMs.sender === 0 && waitMs.recipient === 0) return true;
    room.putBack(item, clock.now() + Math.max(waitMs.sender, waitMs.recipient));
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
    capacity.promise(opened, bind);
    underWay.set(item.id, { item, message: item.message, opened, bind });
    tasks.start('submit', async () => {
      let isMarked = false;
      try {
        isMarked = await options.mark(opened);
      } catch (failure) {
        capacity.redeem(opened, bind);
        fail(item);
        throw failure;
      }
      capacity.redeem(opened, bind);
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
        capacity.learn(answer, perPart);
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

  /** @param again where it is to be tried again. */
  function end(item: Item, again?: Item): void {
    underWay.delete(item.id);
    if (again?.message.state !== 'queued') room.release(item);
    else if (again.message.notBefore <= clock.now()) room.putBack(again);
    else if (room.size < DEFERRED_MAX) room.defer(again, again.message.notBefore);
    else {
      reader.waitsUntil(again.message.notBefore);
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
    reader.look();
    wake();
  }

  async function read(): Promise<void> {
    const { isMore, dueAt } = await reader.read();
    if (dueAt !== undefined) wakeIn(Math.max(1, dueAt - clock.now()));
    if (isMore) wake();
  }

  const itemOf = (message: SmsMessage, parts: readonly SmsPart[], content: SmsBody | undefined): Item => ({
    ...{ id: message.id, priority: message.priority, recipient: message.recipient, sender: message.sender },
    ...{ message, parts, content },
  });

  return {
    wake,
    look,
    sweep() {
      if (nodeId !== undefined || (room.size === 0 && underWay.size === 0)) look();
      else wake();
    },
    offer(message, content) {
      if (message.notBefore > clock.now()) reader.waitsUntil(message.notBefore);
      else if (!reader.isRead(message.priority) || room.count(message.priority) >= IN_MEMORY_MAX) reader.missed(message.priority);
      else if (!isInMemory(message.id)) room.add(itemOf(message, [], content));
      wake();
    },
    admit(message, content) {
      // Among nodes the mark itself sees to it that one handset's messages keep their order.
      if (closed || nodeId !== undefined || message.notBefore > clock.now() || !reader.isReadUpTo(message.priority) || ready.length > 0)
        return undefined;
      const bind = chance();
      if (!('link' in bind)) return undefined;
      const waitMs = capacity.waitMs(message);
      if (waitMs.sender > 0 || waitMs.recipient > 0) return undefined;
      const item = itemOf(message, [], content);
      if (!room.admit(item)) return undefined;
      const opened = attempts.open(message, [], content);
      if (opened instanceof Promise || 'refused' in opened) {
        room.release(item);
        return undefined;
      }
      capacity.promise(opened, bind);
      const admission: UnderWay = { item, opened, bind, message: marked(opened) };
      underWay.set(item.id, admission);
      return admission;
    },
    begin({ message: { id } }) {
      const admission = underWay.get(id);
      const { opened, bind } = admission ?? {};
      if (!admission || !opened || !bind) return;
      capacity.redeem(opened, bind);
      tasks.start('submit', () => submit(admission.item, opened, admission.message, bind));
    },
    abandon({ message: { id } }) {
      const admission = underWay.get(id);
      if (!admission?.opened || !admission.bind) return;
      capacity.redeem(admission.opened, admission.bind);
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
      perSecond: capacity.perSecond(),
      underWay: underWay.size,
      isDeferred: room.nextDueAt() !== undefined || reader.dueAt() !== undefined,
    }),
    async close() {
      closed = true;
      timer?.timer.cancel();
    },
  };
}
