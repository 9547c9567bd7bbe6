import { GatewayError } from '../../kernel/errors.js';
import type { EngineContext } from '../context.js';
import type { DeviceIdentity } from '../hooks.js';

/** A public key that SMS replies to a device are sealed to. */
export interface ReplyKey {
  /** `hpke-1`. */
  suite: string;
  /** base64url without padding. */
  publicKey: string;
}

export interface Devices {
  /** undefined when the device is gone or has published none. */
  replyKey(deviceId: string): Promise<ReplyKey | undefined>;
  /** The devices of an account that are in use now, the newest first; none when the account has ended. */
  ofAccount(accountId: string): Promise<{ deviceId: string; replyKey: ReplyKey | undefined }[]>;
  /** Whether the device still is its account's. */
  isCurrent(device: DeviceIdentity): Promise<boolean>;
  /** @throws GatewayError `UNAUTHENTICATED`: the token outlived its device. */
  assertCurrent(device: DeviceIdentity): Promise<void>;
}

interface ReplyKeyRow {
  [column: string]: string | null;
  id: string;
  reply_suite: string | null;
  reply_public_key: string | null;
}

const replyKeyOf = (row: ReplyKeyRow | undefined): ReplyKey | undefined =>
  row?.reply_suite && row.reply_public_key ? { suite: row.reply_suite, publicKey: row.reply_public_key } : undefined;

/** What a caller hears whose device has been replaced or whose account has ended. */
export const deviceGone = (): GatewayError =>
  new GatewayError('UNAUTHENTICATED', { detail: 'This device is no longer registered.', hint: 'Register the number again.' });

export function createDevices({ store }: EngineContext): Devices {
  async function isCurrent({ accountId, deviceId }: DeviceIdentity): Promise<boolean> {
    const rows = await store.read('SELECT 1 AS found FROM engine_device WHERE id = $1 AND account_id = $2 AND removed_at IS NULL', [
      deviceId,
      accountId,
    ]);
    return rows.length > 0;
  }

  return {
    async replyKey(deviceId) {
      const [row] = await store.read<ReplyKeyRow>(
        'SELECT id, reply_suite, reply_public_key FROM engine_device WHERE id = $1 AND removed_at IS NULL',
        [deviceId],
      );
      return replyKeyOf(row);
    },

    async ofAccount(accountId) {
      const rows = await store.read<ReplyKeyRow>(
        `SELECT id, reply_suite, reply_public_key FROM engine_device WHERE account_id = $1 AND removed_at IS NULL ORDER BY id DESC`,
        [accountId],
      );
      return rows.map((row) => ({ deviceId: row.id, replyKey: replyKeyOf(row) }));
    },

    isCurrent,

    async assertCurrent(device) {
      if (!(await isCurrent(device))) throw deviceGone();
    },
  };
}
