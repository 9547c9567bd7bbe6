import type { Leases } from '../../store/leases.js';

/** Which of a link's binds this node keeps up; every one when there is no other node. */
export interface BindDuty {
  /** Takes and gives up binds so that the living nodes share them. Resolves with the numbers, from 0, that are this node's. */
  settle(): Promise<number[]>;
  /** What another node that keeps this bind tells of it. */
  elsewhere(index: number): unknown;
  /** Tells the others. */
  tell(index: number, detail: object): void;
  /** The bind is closed: another node may have it. */
  release(index: number): Promise<void>;
}

export const bindLease = (linkKey: string, index: number): string => `${BIND}${linkKey}/${index + 1}`;
export const BIND = 'bind/';

/**
 * The binds of one link among nodes. Each is kept up by one node at a time; a node takes what is free or was a dead node's,
 * up to its share, and gives back what is beyond it when another node comes.
 */
export function createBindDuty(linkKey: string, count: number, leases: Leases | undefined): BindDuty {
  const all = Array.from({ length: count }, (_, index) => index);
  if (!leases) return { settle: async () => all, elsewhere: () => undefined, tell: () => undefined, release: async () => undefined };
  const nameOf = (index: number): string => bindLease(linkKey, index);
  return {
    async settle() {
      const share = Math.ceil(count / Math.max(1, leases.nodes()));
      const own = all.filter((index) => leases.holds(nameOf(index)));
      for (const index of all) {
        if (own.length >= share) break;
        if (!own.includes(index) && !leases.heldElsewhere(nameOf(index)) && (await leases.take(nameOf(index)))) own.push(index);
      }
      return own.slice(0, share);
    },
    elsewhere(index) {
      const held = leases.heldElsewhere(nameOf(index));
      return held && held.detail !== '' ? JSON.parse(held.detail) : held && {};
    },
    tell: (index, detail) => leases.tell(nameOf(index), JSON.stringify(detail)),
    release: (index) => leases.release(nameOf(index)),
  };
}
