import { newId } from '../../kernel/ids.js';
import type { EngineContext } from '../context.js';
import { withdrawNotices } from './notice-operations.js';
import { enqueueSystem, SYSTEM } from './queue-operations.js';

/** Messages of the gateway itself to all devices of an account, which may be taken back while nobody has them. */
export interface SystemNotices {
  /**
   * Idempotent by `id`. The first ack by any device makes it delivered, and is told on the bus (NOTICE_DELIVERED).
   *
   * @returns false when none of the devices is in use any more, and then nothing was stored.
   */
  send(notice: {
    id: string;
    kind: 'partner-notice';
    suite: string;
    devices: readonly { deviceId: string; body: string }[];
  }): Promise<boolean>;
  /**
   * Takes it back, and answers what it is then: of an ack and this exactly one wins, whatever comes after. One that was
   * never sent is withdrawn, and will not be.
   *
   * @param msisdn of the account it was sent to: devices that have not fetched it need not any more.
   */
  withdraw(id: string, msisdn: string): Promise<'withdrawn' | 'delivered'>;
  /** What became of one, wall clock; undefined when it was never sent. */
  story(id: string): Promise<{ sentAt: number; withdrawnAt: number | undefined; deliveredAt: number | undefined } | undefined>;
  /** Those taken back since an instant of the wall clock that a device acknowledged all the same, within so long after. */
  raced(since: number, withinMs: number): Promise<string[]>;
}

const RACED_MAX = 10_000;

export function createNotices({ store, clock, announce }: EngineContext): SystemNotices {
  return {
    async send(notice) {
      const wallNow = clock.now();
      const { devices } = await store.run(enqueueSystem, { ...notice, messageId: newId('msg', wallNow), wallNow });
      if (Array.isArray(devices)) for (const deviceId of devices) announce.envelopes(deviceId);
      return devices !== 'no-device';
    },

    async withdraw(id, msisdn) {
      const wallNow = clock.now();
      const { withdrawnAt, deliveredAt } = await store.run(withdrawNotices, { id, msisdn, messageId: newId('msg', wallNow), wallNow });
      return deliveredAt !== undefined && withdrawnAt === undefined ? 'delivered' : 'withdrawn';
    },

    async story(id) {
      const [row] = await store.read<{ stored_at: number; withdrawn_at: number | null; delivered_at: number | null }>(
        `SELECT stored_at, withdrawn_at, delivered_at FROM engine_sent WHERE sender_device_id = '${SYSTEM}' AND client_msg_id = $1`,
        [id],
      );
      const instant = (value: number | null) => (value === null ? undefined : Number(value));
      return row && { sentAt: Number(row.stored_at), withdrawnAt: instant(row.withdrawn_at), deliveredAt: instant(row.delivered_at) };
    },

    async raced(since, withinMs) {
      const rows = await store.read<{ id: string }>(
        `SELECT client_msg_id AS id FROM engine_sent
         WHERE withdrawn_at >= $1 AND withdrawn_at IS NOT NULL AND delivered_at < withdrawn_at + $2 ORDER BY withdrawn_at LIMIT ${RACED_MAX}`,
        [since, withinMs],
      );
      return rows.map(({ id }) => id);
    },
  };
}
