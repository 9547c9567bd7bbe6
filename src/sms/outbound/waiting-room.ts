import type { Instant } from '../../kernel/clock.js';

/** What a place in the room depends on. */
export interface Waiting {
  readonly id: string;
  /** 0 goes first; see PRIORITIES. */
  readonly priority: number;
  readonly recipient: string;
  readonly sender: string;
}

/**
 * The messages of a link that wait in memory, and whose turn it is. One handset gets the messages of one class in the order
 * in which they came in: at most one is under way to it, and one that waits for its next try holds up those of its own and
 * lower classes.
 *
 * A message that `next` gave out is under way until it is released, deferred or put back.
 */
export interface WaitingRoom<T extends Waiting> {
  /** In the room, without those under way. */
  readonly size: number;
  /** Of these, those of a class that do not wait for an instant. */
  count(priority: number): number;
  has(id: string): boolean;
  add(item: T): void;
  /** Takes out the one whose turn it is; undefined when all have to wait. */
  next(): T | undefined;
  /** Whether it could go at once: its handset is free, and none of its class or a higher one waits. It is then under way. */
  admit(item: T): boolean;
  /** It has ended: the recipient's next may go. */
  release(item: T): void;
  /** It goes again later; meanwhile only what is of a higher class may go to its recipient. */
  defer(item: T, until: Instant): void;
  /** It goes as soon as it may; `until` holds up everything to its recipient. */
  putBack(item: T, until?: Instant): void;
  /** Nothing of this sender goes before then. */
  holdSender(sender: string, until: Instant): void;
  /** Takes it out, wherever it waits. Answers whether it was there. */
  remove(id: string): boolean;
  /** When the next of those that wait for an instant may go. */
  nextDueAt(): Instant | undefined;
}

/** How the classes share a link that is short: a higher one hardly waits, and a lower one is never starved. */
const SHARES = [64, 16, 4, 1] as const;

interface Entry<T> {
  readonly item: T;
  readonly kind: number;
  /** In which it came in. */
  readonly order: number;
  place: 'queue' | 'blocked' | 'deferred' | undefined;
}

interface Queue<T> {
  entries: Entry<T>[];
  first: number;
}

/** A handset that something is under way to, or waits for. */
interface Handset<T> {
  underWay: Entry<T> | undefined;
  /** Wait for the handset, by class and then in their order. */
  blocked: Entry<T>[];
  /** Wait for their next try. */
  deferred: Entry<T>[];
  heldUntil: Instant;
}

export function createWaitingRoom<T extends Waiting>(now: () => Instant): WaitingRoom<T> {
  const inRoom = new Map<string, Entry<T>>();
  /** Of each class: those in its queues, and those that wait for their handset. */
  const queued = SHARES.map(() => 0);
  const blockedCounts = SHARES.map(() => 0);
  /** Of each class: what came free goes before its queues, of which each sender has one. */
  const freed = SHARES.map((): Queue<T> => ({ entries: [], first: 0 }));
  const queues = SHARES.map(() => new Map<string, Queue<T>>());
  const handsets = new Map<string, Handset<T>>();
  const senderHolds = new Map<string, Instant>();
  /** What waits for an instant, the soonest last. */
  const timed: { at: Instant; wake: () => void }[] = [];
  /** How much of its share each class has had: the one that is furthest behind is next. */
  const passes = SHARES.map(() => 0);
  let pass = 0;
  let arrivals = 0;

  function move(entry: Entry<T>, place: Entry<T>['place']): void {
    const { kind } = entry;
    if (entry.place === 'queue') queued[kind] = (queued[kind] ?? 1) - 1;
    if (entry.place === 'blocked') blockedCounts[kind] = (blockedCounts[kind] ?? 1) - 1;
    if (place === 'queue') queued[kind] = (queued[kind] ?? 0) + 1;
    if (place === 'blocked') blockedCounts[kind] = (blockedCounts[kind] ?? 0) + 1;
    if (place === undefined) inRoom.delete(entry.item.id);
    else if (entry.place === undefined) inRoom.set(entry.item.id, entry);
    entry.place = place;
  }

  function wakeAt(at: Instant, wake: () => void): void {
    let low = 0;
    for (let high = timed.length; low < high; ) {
      const middle = (low + high) >> 1;
      if ((timed[middle]?.at ?? 0) > at) low = middle + 1;
      else high = middle;
    }
    timed.splice(low, 0, { at, wake });
  }

  function handsetOf(recipient: string): Handset<T> {
    const known = handsets.get(recipient);
    if (known) return known;
    const fresh: Handset<T> = { underWay: undefined, blocked: [], deferred: [], heldUntil: 0 };
    handsets.set(recipient, fresh);
    return fresh;
  }

  const mayGo = (handset: Handset<T>, { kind }: Entry<T>): boolean =>
    !handset.underWay && handset.heldUntil <= now() && !handset.deferred.some((each) => each.kind <= kind);

  function block(handset: Handset<T>, entry: Entry<T>): void {
    const { kind, order } = entry;
    const place = handset.blocked.findIndex((each) => each.kind > kind || (each.kind === kind && each.order > order));
    move(entry, 'blocked');
    handset.blocked.splice(place < 0 ? handset.blocked.length : place, 0, entry);
  }

  /** The first of a handset that may go is among the next of its class. */
  function unblock(recipient: string): void {
    const handset = handsets.get(recipient);
    if (!handset) return;
    const place = handset.blocked.findIndex((entry) => mayGo(handset, entry));
    const [entry] = place < 0 ? [] : handset.blocked.splice(place, 1);
    if (entry) {
      move(entry, 'queue');
      freed[entry.kind]?.entries.push(entry);
    }
    const { underWay, blocked, deferred, heldUntil } = handset;
    if (!underWay && blocked.length === 0 && deferred.length === 0 && heldUntil <= now()) handsets.delete(recipient);
  }

  /** Takes the first that is still in the room and whose handset is free. */
  function takeFrom(queue: Queue<T>): Entry<T> | undefined {
    while (queue.first < queue.entries.length) {
      const entry = queue.entries[queue.first++];
      if (queue.first >= 1_024) {
        queue.entries.splice(0, queue.first);
        queue.first = 0;
      }
      if (!entry) continue;
      const handset = handsets.get(entry.item.recipient);
      if (entry.place !== 'queue') unblock(entry.item.recipient);
      else if (!handset || mayGo(handset, entry)) return entry;
      else block(handset, entry);
    }
    return undefined;
  }

  function takeOf(kind: number): Entry<T> | undefined {
    const first = freed[kind];
    const own = queues[kind];
    const free = first && takeFrom(first);
    if (free || !own) return free;
    const at = now();
    for (const [sender, queue] of own) {
      if ((senderHolds.get(sender) ?? 0) > at) continue;
      const entry = takeFrom(queue);
      // The next one of the class is another sender's.
      own.delete(sender);
      if (queue.first < queue.entries.length) own.set(sender, queue);
      if (entry) return entry;
    }
    return undefined;
  }

  /** The classes that have something, the one that is furthest behind its share first; it never saves up a share. */
  function classesInTurn(): number[] {
    const had = (kind: number) => Math.max(passes[kind] ?? 0, pass);
    return SHARES.map((_, kind) => kind)
      .filter((kind) => (queued[kind] ?? 0) > 0)
      .sort((a, b) => had(a) - had(b) || a - b);
  }

  function start(entry: Entry<T>): T {
    handsetOf(entry.item.recipient).underWay = entry;
    return entry.item;
  }

  const entryOf = (item: T): Entry<T> => {
    const underWay = handsets.get(item.recipient)?.underWay;
    if (underWay?.item.id === item.id) return { ...underWay, item };
    return { item, kind: Math.min(Math.max(0, item.priority), SHARES.length - 1), order: ++arrivals, place: undefined };
  };

  /** It is not under way any more. */
  function stop({ id, recipient }: T): Handset<T> {
    const handset = handsetOf(recipient);
    if (handset.underWay?.item.id === id) handset.underWay = undefined;
    return handset;
  }

  return {
    get size() {
      return inRoom.size;
    },
    has: (id) => inRoom.has(id),
    count: (priority) => (queued[priority] ?? 0) + (blockedCounts[priority] ?? 0),
    add(item) {
      const entry = entryOf(item);
      move(entry, 'queue');
      const own = queues[entry.kind];
      const queue = own?.get(item.sender);
      if (queue) queue.entries.push(entry);
      else own?.set(item.sender, { entries: [entry], first: 0 });
    },
    next() {
      const at = now();
      for (let due = timed.at(-1); due && due.at <= at; due = timed.at(-1)) {
        timed.pop();
        due.wake();
      }
      for (const kind of classesInTurn()) {
        const entry = takeOf(kind);
        if (!entry) continue;
        pass = Math.max(passes[kind] ?? 0, pass);
        passes[kind] = pass + 1 / (SHARES[kind] ?? 1);
        move(entry, undefined);
        return start(entry);
      }
      return undefined;
    },
    admit(item) {
      const entry = entryOf(item);
      for (let kind = 0; kind <= entry.kind; kind++) if ((queued[kind] ?? 0) > 0) return false;
      if (handsets.has(item.recipient) || (senderHolds.get(item.sender) ?? 0) > now()) return false;
      start(entry);
      return true;
    },
    release(item) {
      stop(item);
      unblock(item.recipient);
    },
    defer(item, until) {
      const entry = entryOf(item);
      const handset = stop(item);
      handset.deferred.push(entry);
      move(entry, 'deferred');
      wakeAt(until, () => {
        const place = handset.deferred.indexOf(entry);
        if (place < 0) return;
        handset.deferred.splice(place, 1);
        block(handset, entry);
        unblock(item.recipient);
      });
      unblock(item.recipient);
    },
    putBack(item, until = 0) {
      const entry = entryOf(item);
      const handset = stop(item);
      block(handset, entry);
      handset.heldUntil = Math.max(handset.heldUntil, until);
      if (until > 0) wakeAt(until, () => unblock(item.recipient));
      else unblock(item.recipient);
    },
    holdSender(sender, until) {
      senderHolds.set(sender, until);
      wakeAt(until, () => senderHolds.delete(sender));
    },
    remove(id) {
      const entry = inRoom.get(id);
      if (!entry) return false;
      move(entry, undefined);
      const handset = handsets.get(entry.item.recipient);
      if (handset) {
        handset.deferred = handset.deferred.filter((each) => each !== entry);
        handset.blocked = handset.blocked.filter((each) => each !== entry);
        unblock(entry.item.recipient);
      }
      return true;
    },
    nextDueAt: () => timed.at(-1)?.at,
  };
}
