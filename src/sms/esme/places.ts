import type { BindType } from '../../smpp/index.js';
import type { Leases } from '../../store/leases.js';

/** One of the binds that an account may have. */
export interface Place {
  release(): void;
}

/** The binds of an account at nodes, ours first. */
export interface PlaceView {
  boundAs: BindType;
  /** Epoch milliseconds of the wall clock. */
  since: number;
}

/**
 * How many binds an account has, over all nodes that share the database: each holds one of its numbered places, with a
 * lease where there are several nodes. A dead node's places are free again when its leases are.
 */
export interface Places {
  /** @returns undefined when every place is taken. */
  take(systemId: string, bindsMax: number, view: PlaceView): Promise<Place | undefined>;
  /** Binds at this node and at the others. */
  count(systemId: string, bindsMax: number): { here: number; elsewhere: number };
  views(systemId: string, bindsMax: number): PlaceView[];
}

const PLACE = 'esme-bind/';
const nameOf = (systemId: string, number: number): string => `${PLACE}${systemId}/${number + 1}`;

export function createPlaces(leases: Leases | undefined): Places {
  const own = new Map<string, PlaceView>();
  const releasing = new Map<string, Promise<unknown>>();
  const numbers = (bindsMax: number) => Array.from({ length: bindsMax }, (_, number) => number);

  function elsewhere(systemId: string, bindsMax: number): PlaceView[] {
    if (!leases) return [];
    return numbers(bindsMax).flatMap((number) => {
      const name = nameOf(systemId, number);
      const held = own.has(name) ? undefined : leases.heldElsewhere(name);
      if (!held) return [];
      return [held.detail === '' ? { boundAs: 'transceiver' as const, since: 0 } : (JSON.parse(held.detail) as PlaceView)];
    });
  }

  const here = (systemId: string, bindsMax: number): PlaceView[] =>
    numbers(bindsMax).flatMap((number) => own.get(nameOf(systemId, number)) ?? []);

  return {
    async take(systemId, bindsMax, view) {
      for (const number of numbers(bindsMax)) {
        const name = nameOf(systemId, number);
        if (own.has(name) || leases?.heldElsewhere(name)) continue;
        await releasing.get(name);
        if (own.has(name)) continue;
        // Ours before anything is awaited: two that bind in one moment must not take the same.
        own.set(name, view);
        const isTaken = leases === undefined || (await leases.take(name).catch(() => false));
        if (!isTaken) {
          own.delete(name);
          continue;
        }
        leases?.tell(name, JSON.stringify(view));
        return {
          release() {
            own.delete(name);
            if (!leases) return;
            const released = leases.release(name).catch(() => undefined);
            releasing.set(name, released);
            void released.then(() => releasing.delete(name));
          },
        };
      }
      return undefined;
    },
    count: (systemId, bindsMax) => ({ here: here(systemId, bindsMax).length, elsewhere: elsewhere(systemId, bindsMax).length }),
    views: (systemId, bindsMax) => [...here(systemId, bindsMax), ...elsewhere(systemId, bindsMax)],
  };
}
