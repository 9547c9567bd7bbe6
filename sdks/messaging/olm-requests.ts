import { toAccountId, toMatrixUser } from './matrix-ids.js';
import { isRecord, parseJsonObject } from './problem.js';
import type { Call, ClaimedKey, KeyUpload, QueriedDevice } from './wire.js';

/** The library's request bodies on one side, our REST calls on the other. The server sees the JSON inside as opaque text. */

export const OLM_SUITE = 'olm-1';
const PER_CALL = 50;

function* chunks<T>(items: readonly T[]): Generator<T[]> {
  for (let i = 0; i < items.length; i += PER_CALL) yield items.slice(i, i + PER_CALL);
}

const published = (keys: unknown) => Object.entries(isRecord(keys) ? keys : {}).map(([id, key]) => ({ id, body: JSON.stringify(key) }));

/** `KeysUpload` → `PUT /keys`. */
export async function uploadKeys(call: Call, body: Record<string, unknown>): Promise<{ answer: unknown; oneTimeKeyCount: number }> {
  const upload: KeyUpload = { oneTimeKeys: published(body['one_time_keys']), fallbackKeys: published(body['fallback_keys']) };
  if (isRecord(body['device_keys'])) upload.identity = { suite: OLM_SUITE, body: JSON.stringify(body['device_keys']) };
  const { oneTimeKeyCount } = await call<{ oneTimeKeyCount: number }>('PUT', '/keys', upload);
  return { answer: { one_time_key_counts: { signed_curve25519: oneTimeKeyCount } }, oneTimeKeyCount };
}

/** `KeysQuery` → `POST /keys/query`. `onDevices` hears which devices each account has, with their registration ids. */
export async function queryKeys(
  call: Call,
  body: Record<string, unknown>,
  onDevices: (accountId: string, devices: QueriedDevice[]) => void,
): Promise<unknown> {
  const users = Object.keys(isRecord(body['device_keys']) ? body['device_keys'] : {});
  // An account that the server does not name has no devices; leaving it out would keep the ones we remember.
  const deviceKeys: Record<string, Record<string, unknown>> = Object.fromEntries(users.map((user) => [user, {}]));
  const asked = users.flatMap((user) => toAccountId(user) ?? []);
  for (const accountIds of chunks(asked)) {
    const { accounts } = await call<{ accounts: { accountId: string; devices: QueriedDevice[] }[] }>('POST', '/keys/query', { accountIds });
    for (const { accountId, devices } of accounts) {
      if (!accountIds.includes(accountId)) continue;
      const ours = devices.filter((device) => device.identity?.suite === OLM_SUITE);
      deviceKeys[toMatrixUser(accountId)] = Object.fromEntries(
        ours.flatMap(({ deviceId, identity }) => {
          const keys = parseJsonObject(identity?.body ?? '');
          return keys ? [[deviceId, keys]] : [];
        }),
      );
      onDevices(accountId, ours);
    }
  }
  return { device_keys: deviceKeys, failures: {} };
}

/** `KeysClaim` → `POST /keys/claim`. */
export async function claimKeys(call: Call, body: Record<string, unknown>): Promise<unknown> {
  const wanted = Object.entries(isRecord(body['one_time_keys']) ? body['one_time_keys'] : {}).flatMap(([user, devices]) => {
    const accountId = toAccountId(user);
    return accountId && isRecord(devices) ? Object.keys(devices).map((deviceId) => ({ accountId, deviceId })) : [];
  });
  const claimed: Record<string, Record<string, Record<string, unknown>>> = {};
  for (const devices of chunks(wanted)) {
    const { keys } = await call<{ keys: ClaimedKey[] }>('POST', '/keys/claim', { devices });
    for (const { accountId, deviceId, id, body: text } of keys) {
      const key = parseJsonObject(text);
      if (!key || !devices.some((device) => device.accountId === accountId && device.deviceId === deviceId)) continue;
      const user = toMatrixUser(accountId);
      claimed[user] = { ...claimed[user], [deviceId]: { [id]: key } };
    }
  }
  return { one_time_keys: claimed, failures: {} };
}

/** `ToDevice`: the library's own messages (it repairs a broken session so), as bodies per device of each account. */
export function readToDevice(body: Record<string, unknown>): { accountId: string; deviceId: string; body: string }[] {
  return Object.entries(isRecord(body['messages']) ? body['messages'] : {}).flatMap(([user, devices]) => {
    const accountId = toAccountId(user);
    if (!accountId || !isRecord(devices)) return [];
    return Object.entries(devices).map(([deviceId, content]) => ({ accountId, deviceId, body: JSON.stringify(content) }));
  });
}
