import { newId } from '../../kernel/ids.js';
import { inList } from '../../store/index.js';
import type { Devices } from '../accounts/devices.js';
import type { EngineContext } from '../context.js';
import type { DeviceIdentity } from '../hooks.js';
import { addOneTimeKeys, claimKeys, type PublishedKey, publishKeys } from './operations.js';

export interface KeyUpload {
  identity?: { suite: string; body: string } | undefined;
  oneTimeKeys?: readonly PublishedKey[] | undefined;
  fallbackKeys?: readonly PublishedKey[] | undefined;
  replyKey?: { suite: string; publicKey: string } | undefined;
}

export interface ClaimedKey {
  accountId: string;
  deviceId: string;
  id: string;
  body: string;
  /** Whether it is a fallback key, which others get too. */
  fallback: boolean;
}

export interface AccountDevices {
  accountId: string;
  devices: { deviceId: string; registrationId: number; identity: { suite: string; body: string } }[];
}

export interface Keys {
  /**
   * Publishes keys; what is left out stays. One-time keys are added (an id that the device has used before is ignored),
   * fallback keys replace the old ones.
   *
   * @returns how many one-time keys wait to be handed out.
   */
  upload(device: DeviceIdentity, keys: KeyUpload): Promise<number>;
  count(device: DeviceIdentity): Promise<number>;
  /** The devices of up to 50 accounts that have published an identity. Accounts that do not exist are absent. */
  query(accountIds: readonly string[]): Promise<AccountDevices[]>;
  /** One key for each of up to 50 devices: its oldest one-time key, which nobody else gets, or else its fallback key. */
  claim(devices: readonly DeviceIdentity[]): Promise<ClaimedKey[]>;
}

const QUERY_MAX = 50;
/** Some months of new sessions; more would only be there to fill the disk. */
const ONE_TIME_KEYS_MAX = 500;

export function createKeys({ store, clock }: EngineContext, devices: Devices): Keys {
  async function count({ deviceId }: DeviceIdentity): Promise<number> {
    const [row] = await store.read<{ n: number }>(
      'SELECT count(*) AS n FROM engine_one_time_key WHERE device_id = $1 AND claimed_at IS NULL',
      [deviceId],
    );
    return Number(row?.n ?? 0);
  }

  return {
    async upload(device, { identity, oneTimeKeys, fallbackKeys, replyKey }) {
      await devices.assertCurrent(device);
      const { deviceId } = device;
      // Several items, so perhaps several commits: a client that hears no answer repeats the upload, which adds nothing twice.
      await Promise.all([
        store.run(publishKeys, { deviceId, identity: identity ?? null, replyKey: replyKey ?? null, fallbackKeys: fallbackKeys ?? null }),
        ...(oneTimeKeys ?? []).map(({ id, body }) => store.run(addOneTimeKeys, { deviceId, id, body, waitingMax: ONE_TIME_KEYS_MAX })),
      ]);
      return count(device);
    },

    async count(device) {
      await devices.assertCurrent(device);
      return count(device);
    },

    async query(accountIds) {
      const { list, values } = inList(accountIds, 1, QUERY_MAX);
      const rows = await store.read<{
        account_id: string;
        id: string | null;
        registration_id: number;
        identity_suite: string | null;
        identity_body: string | null;
      }>(
        `SELECT a.id AS account_id, d.id, d.registration_id, d.identity_suite, d.identity_body
         FROM engine_account a LEFT JOIN engine_device d ON d.account_id = a.id AND d.removed_at IS NULL
         WHERE a.id IN (${list}) AND a.ended_at IS NULL ORDER BY a.id, d.id`,
        values,
      );
      const accounts = new Map<string, AccountDevices>();
      for (const row of rows) {
        const account = accounts.get(row.account_id) ?? { accountId: row.account_id, devices: [] };
        accounts.set(row.account_id, account);
        if (row.id === null || row.identity_suite === null || row.identity_body === null) continue;
        const identity = { suite: row.identity_suite, body: row.identity_body };
        account.devices.push({ deviceId: row.id, registrationId: Number(row.registration_id), identity });
      }
      return [...accounts.values()];
    },

    async claim(wanted) {
      const wallNow = clock.now();
      const claimed = await Promise.all(
        wanted.map(async ({ accountId, deviceId }) => {
          const key = await store.run(claimKeys, { claimId: newId('req', wallNow), accountId, deviceId, wallNow });
          return key && { accountId, deviceId, ...key };
        }),
      );
      return claimed.filter((key) => key !== undefined);
    },
  };
}
