import { type Clock, sleep } from '../kernel/clock.js';
import type { Closable } from '../kernel/closing-stack.js';
import { GatewayError } from '../kernel/errors.js';
import type { Log } from '../kernel/log.js';
import { runPeriodically } from '../kernel/periodic.js';
import { dropLease, renewLease, takeLease } from './lease-operations.js';
import type { MessageStore } from './messages.js';

export interface Lease {
  readonly name: string;
  readonly owner: string;
  /** What its owner tells, as text. */
  readonly detail: string;
}

/** What one node at a time may do, decided in the database that all nodes share. */
export interface Leases extends Closable {
  readonly nodeId: string;
  /** Nodes that are alive, this one included. */
  nodes(): number;
  /** Whether this node holds it for certain: a node that could not renew for a while stops before others may take it. */
  holds(name: string): boolean;
  /** Who else holds it, as of the last look; undefined when it is free, its owner is dead, or it is ours. */
  heldElsewhere(name: string): Lease | undefined;
  /** Takes it when it is free or its owner is dead. Resolves with whether this node holds it now. */
  take(name: string): Promise<boolean>;
  /** What goes with it to the other nodes, with the next renewal. */
  tell(name: string, detail: string): void;
  release(name: string): Promise<void>;
  /** Does it while no other node does what has this name; waits for one that does. */
  alone<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Whether a node is dead for certain: it has stopped renewing for long enough, or has left. */
  isGone(nodeId: string): Promise<boolean>;
  /**
   * The lease of that prefix for whose detail `is` holds, once its owner has shown that it lives: undefined when there is
   * none, or when the owner dies meanwhile. It takes up to as long as a lease lives without being renewed.
   */
  confirmed(prefix: string, is: (detail: string) => boolean): Promise<Lease | undefined>;
  /** After each look at the leases. */
  onLook(listener: () => void): void;
  /** A node has died or left. */
  onGone(listener: (nodeId: string) => void): void;
  /** Gives up everything that this node holds. */
  close(): Promise<void>;
}

export interface LeasesOptions {
  store: MessageStore;
  clock: Clock;
  log: Log;
  /** Unique for each run of a process. */
  nodeId: string;
  /** Between two renewals; 1 s. */
  everyMs?: number;
  /** How long a beat stands still before its owner counts as dead; 6 s. */
  deadAfterMs?: number;
}

const EVERY_MS = 1_000;
const DEAD_AFTER_MS = 6_000;
const NODE = 'node/';

interface Seen extends Lease {
  readonly beat: number;
  /** When this beat was first seen, on our own monotonic clock: clocks of machines differ and jump. */
  readonly at: number;
}

/** Joins the nodes that share this database. @returns once this node is known to the others. */
export async function openLeases(options: LeasesOptions): Promise<Leases> {
  const { store, clock, log, nodeId, everyMs = EVERY_MS, deadAfterMs = DEAD_AFTER_MS } = options;
  const own = new Map<string, { detail: string; renewedAt: number }>();
  const lookListeners: (() => void)[] = [];
  const goneListeners: ((nodeId: string) => void)[] = [];
  let seen = new Map<string, Seen>();
  let isClosed = false;

  const isAlive = ({ at }: Seen): boolean => clock.monotonicMs() - at < deadAfterMs;
  /** Sooner than others may take it, and by the time before the renewal was asked for. */
  const isFresh = (renewedAt: number): boolean => clock.monotonicMs() - renewedAt < deadAfterMs * 0.6;

  async function renew(): Promise<void> {
    const at = clock.monotonicMs();
    await Promise.all(
      [...own].map(async ([name, { detail }]) => {
        const isOurs = await store.run(renewLease, { name, owner: nodeId, detail });
        const mine = own.get(name);
        if (isOurs && mine) own.set(name, { ...mine, renewedAt: at });
        else if (!isOurs && own.delete(name)) log.warn({ lease: name }, 'another node took a lease over');
      }),
    );
    // Held up for so long that the others gave us up: we are back.
    if (!isClosed && !own.has(NODE + nodeId)) await take(NODE + nodeId);
  }

  async function look(): Promise<void> {
    const at = clock.monotonicMs();
    const rows = await store.read<{ name: string; owner: string; beat: number; detail: string }>(
      'SELECT name, owner, beat, detail FROM node_lease',
    );
    const before = seen;
    seen = new Map(
      rows.map(({ name, owner, beat, detail }) => {
        const known = before.get(name);
        const stands = known?.owner === owner && known.beat === Number(beat);
        return [name, { name, owner, detail, beat: Number(beat), at: stands ? known.at : at }];
      }),
    );
    await bury(before);
  }

  /** Nodes that stopped are forgotten, and told of, once. */
  async function bury(before: ReadonlyMap<string, Seen>): Promise<void> {
    const gone = [...before.values()].filter(({ name }) => name.startsWith(NODE) && !seen.has(name)).map(({ owner }) => owner);
    for (const lease of seen.values()) {
      if (!lease.name.startsWith(NODE) || isAlive(lease)) continue;
      await store.run(dropLease, lease);
      seen.delete(lease.name);
      gone.push(lease.owner);
    }
    for (const owner of gone) {
      if (owner === nodeId) continue;
      log.warn({ nodeId: owner }, 'a node is gone');
      for (const listener of goneListeners) listener(owner);
    }
  }

  async function take(name: string): Promise<boolean> {
    const held = seen.get(name);
    if (isClosed || (held && held.owner !== nodeId && isAlive(held))) return false;
    const at = clock.monotonicMs();
    const isOurs = await store.run(takeLease, { name, owner: nodeId, fromOwner: held?.owner ?? '', fromBeat: held?.beat ?? 0 });
    if (isOurs) own.set(name, { detail: '', renewedAt: at });
    return isOurs;
  }

  async function release(name: string): Promise<void> {
    if (own.delete(name)) await store.run(dropLease, { name, owner: nodeId });
  }

  async function pass(): Promise<void> {
    await renew();
    await look();
    for (const listener of lookListeners) listener();
  }

  await take(NODE + nodeId);
  const periodic = runPeriodically({ name: 'leases', everyMs, clock, log }, pass);
  await periodic.finished();

  return {
    nodeId,
    nodes: () => [...seen.values()].filter((lease) => lease.name.startsWith(NODE) && isAlive(lease)).length,
    holds(name) {
      const mine = own.get(name);
      return mine !== undefined && isFresh(mine.renewedAt);
    },
    heldElsewhere(name) {
      const held = seen.get(name);
      return held && held.owner !== nodeId && isAlive(held) ? held : undefined;
    },
    take,
    tell(name, detail) {
      const mine = own.get(name);
      if (mine) own.set(name, { ...mine, detail });
    },
    release,
    async alone(name, work) {
      while (!(await take(name))) {
        if (isClosed) throw new GatewayError('UNAVAILABLE', { detail: 'The node is closing.' });
        await sleep(clock, everyMs / 4);
        await look();
      }
      try {
        return await work();
      } finally {
        await release(name);
      }
    },
    async isGone(id) {
      if (id === nodeId) return false;
      // One that we have not heard of may have come a moment ago.
      if (!seen.has(NODE + id)) await look();
      const node = seen.get(NODE + id);
      return !node || !isAlive(node);
    },
    async confirmed(prefix, is) {
      const find = () => [...seen.values()].find(({ name, detail }) => name.startsWith(prefix) && is(detail));
      await look();
      const first = find();
      if (!first) return undefined;
      const enough = first.beat + 2;
      for (;;) {
        const now = find();
        if (!now || !isAlive(now) || isClosed) return undefined;
        // The renewal after the next was begun after we were asked.
        if (now.beat >= enough) return now;
        await sleep(clock, everyMs / 4);
        await look();
      }
    },
    onLook: (listener) => void lookListeners.push(listener),
    onGone: (listener) => void goneListeners.push(listener),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await periodic.close();
      await Promise.all([...own.keys()].map((name) => store.run(dropLease, { name, owner: nodeId })));
      own.clear();
    },
  };
}
