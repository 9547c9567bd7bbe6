import { toRfc3339 } from '../../kernel/clock.js';
import { newId } from '../../kernel/ids.js';
import type { EngineContext } from '../context.js';
import { acknowledge } from './ack-operation.js';
import { type Envelope, type EnvelopeRow, envelopeOf } from './envelope.js';
import { enqueueSystem, removeExpired } from './queue-operations.js';

export interface Queue {
  /** The envelopes of a device after `cursor`, oldest first; nothing is deleted. */
  read(deviceId: string, cursor: number, limit: number): Promise<Envelope[]>;
  /**
   * Deletes envelopes that the device has stored. The first ack of a message, by any device, tells its sender
   * `delivered` and cancels its fallback while that is armed.
   *
   * @returns how many were still there.
   */
  acknowledge(deviceId: string, envelopeIds: readonly string[]): Promise<number>;
  /** Deletes what has expired, in bounded steps. */
  sweep(): Promise<void>;
}

/** What the gateway itself puts into a device's queue. */
export interface SystemEnvelopes {
  /**
   * Idempotent by `id` (for instance the id of the inbound SMS): a repeat changes nothing, also after the ack.
   *
   * @returns false when the device is gone, and then nothing was stored.
   */
  enqueue(envelope: { id: string; deviceId: string; kind: 'sms-reply'; suite: string; body: string }): Promise<boolean>;
}

const READ_MAX = 101;

export function createQueue({ store, clock, domainClock, announce }: EngineContext): Queue & SystemEnvelopes {
  /** Fallbacks live in their partner's time, which a sandbox may have moved. */
  async function domainTimes(messageIds: readonly string[]): Promise<(messageId: string) => number> {
    const partners = new Map<string, string>();
    await Promise.all(
      messageIds.map(async (messageId) => {
        const [row] = await store.read<{ partner_id: string }>(
          `SELECT partner_id FROM engine_sms_fallback WHERE message_id = $1 AND state = 'armed'`,
          [messageId],
        );
        if (row) partners.set(messageId, row.partner_id);
      }),
    );
    return (messageId) => {
      const partnerId = partners.get(messageId);
      return partnerId === undefined ? clock.now() : domainClock.now(partnerId);
    };
  }

  return {
    async read(deviceId, cursor, limit) {
      const rows = await store.read<EnvelopeRow>(
        `SELECT id, seq, kind, sender_account_id, sender_device_id, client_msg_id, ref, suite, body, sent_at FROM engine_envelope
         WHERE device_id = $1 AND seq > $2 AND expires_at > $3 ORDER BY seq LIMIT $4`,
        [deviceId, cursor, clock.now(), Math.min(limit, READ_MAX)],
      );
      return rows.map(envelopeOf);
    },

    async acknowledge(deviceId, envelopeIds) {
      const domainNow = await domainTimes(envelopeIds);
      const wallNow = clock.now();
      const statusAt = toRfc3339(wallNow);
      const results = await Promise.all(
        envelopeIds.map((envelopeId) =>
          store.run(acknowledge, {
            deviceId,
            envelopeId,
            statusId: newId('msg', wallNow),
            statusAt,
            factId: newId('evt', wallNow),
            wallNow,
            domainNow: domainNow(envelopeId),
          }),
        ),
      );
      for (const { wake } of results) if (wake) announce.envelopes(wake);
      if (results.some((result) => result.cancelled)) announce.facts();
      for (const { notice } of results) if (notice !== undefined) announce.noticeDelivered(notice);
      return results.filter((result) => result.acknowledged).length;
    },

    async enqueue({ id, deviceId, kind, suite, body }) {
      const wallNow = clock.now();
      const item = { id, messageId: newId('msg', wallNow), kind, suite, devices: [{ deviceId, body }], wallNow };
      const { devices } = await store.run(enqueueSystem, item);
      if (Array.isArray(devices)) announce.envelopes(deviceId);
      return devices !== 'no-device';
    },

    async sweep() {
      while (await store.run(removeExpired, { wallNow: clock.now() }));
    },
  };
}
