import { assert } from '../../kernel/errors.js';
import { newId } from '../../kernel/ids.js';
import { inList } from '../../store/index.js';
import type { EngineContext } from '../context.js';
import type { FallbackUpkeep } from '../fallbacks/fallbacks.js';
import { raiseLines } from './lines-operation.js';

export interface Line {
  msisdn: string;
  /** Counts the holders of the number; 1 for the first that we were told of. */
  epoch: number;
  partnerId: string;
  market: string;
}

export interface Lines {
  /**
   * Tells that the number may have another holder from now on (a new line, a port, a swap, an end): the epoch rises,
   * the account on the number ends, and fallbacks armed for it are cancelled. Idempotent by `id`.
   */
  raise(change: { id: string; msisdn: string; partnerId: string; market: string; cause: string }): Promise<Line>;
  get(msisdn: string): Promise<Line | undefined>;
  /** The lines of many numbers, by number; those that we were never told of are not there. */
  among(msisdns: readonly string[]): Promise<ReadonlyMap<string, Line>>;
}

/** Partner, market and cause go into facts as they are (fact-sql.ts). */
const CODE = /^[A-Za-z0-9_.:-]{1,64}$/;

export function createLines({ store, clock, domainClock, announce }: EngineContext, fallbacks: FallbackUpkeep): Lines {
  return {
    async raise({ id, msisdn, partnerId, market, cause }) {
      for (const code of [partnerId, market, cause]) assert(CODE.test(code), 'a line is described in codes');
      const wallNow = clock.now();
      const factId = newId('evt', wallNow);
      const domainNow = domainClock.now(partnerId);
      const { epoch, removed } = await store.run(raiseLines, { id, msisdn, partnerId, market, cause, factId, wallNow, domainNow });
      for (const deviceId of removed) announce.removed(deviceId);
      if (removed.length > 0) announce.facts();
      // Not in the same commit: a claim looks at the epoch itself, this only deletes the sealed texts sooner.
      await fallbacks.cancelForLine(msisdn);
      return { msisdn, epoch, partnerId, market };
    },

    async among(msisdns) {
      const { list, values } = inList(msisdns);
      const rows = await store.read<{ msisdn: string; epoch: number; partner_id: string; market: string }>(
        `SELECT msisdn, epoch, partner_id, market FROM engine_line WHERE msisdn IN (${list})`,
        values,
      );
      return new Map(
        rows.map(({ msisdn, epoch, partner_id: partnerId, market }) => [msisdn, { msisdn, epoch: Number(epoch), partnerId, market }]),
      );
    },

    async get(msisdn) {
      const [row] = await store.read<{ epoch: number; partner_id: string; market: string }>(
        'SELECT epoch, partner_id, market FROM engine_line WHERE msisdn = $1',
        [msisdn],
      );
      return row && { msisdn, epoch: Number(row.epoch), partnerId: row.partner_id, market: row.market };
    },
  };
}
