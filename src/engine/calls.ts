import { toRfc3339 } from '../kernel/clock.js';
import { invalidField } from '../kernel/errors.js';
import { isId } from '../kernel/ids.js';
import { parseMsisdn } from '../kernel/msisdn.js';
import type { Accounts, Registration } from './accounts/accounts.js';
import type { Devices } from './accounts/devices.js';
import type { Envelope } from './envelopes/envelope.js';
import type { Messages, SentMessage } from './envelopes/messages.js';
import type { Queue } from './envelopes/queue.js';
import type { BridgeKeys, DeviceIdentity } from './hooks.js';
import type { AccountDevices, ClaimedKey, Keys } from './keys/keys.js';
import { addressKey, createLimiter, type EngineLimits } from './limits.js';
import { parseRequest, requests } from './requests.js';

/**
 * The calls of the messaging API, named by the contract's operationId, for REST and the stream alike. Bodies are
 * checked here; every answer is the body of a 2xx. Each call of a device throws `UNAUTHENTICATED` when it is gone.
 */
export interface MessagingCalls {
  registerAccount: (address: string, body: unknown) => Promise<Registration>;
  createDeviceToken: (address: string, body: unknown) => Promise<{ accessToken: string; expiresInSeconds: number }>;
  uploadKeys: (device: DeviceIdentity, body: unknown) => Promise<{ oneTimeKeyCount: number }>;
  countKeys: (device: DeviceIdentity) => Promise<{ oneTimeKeyCount: number }>;
  queryKeys: (device: DeviceIdentity, body: unknown) => Promise<{ accounts: AccountDevices[] }>;
  claimKeys: (device: DeviceIdentity, body: unknown) => Promise<{ keys: ClaimedKey[] }>;
  searchContacts: (device: DeviceIdentity, body: unknown) => Promise<{ items: { msisdn: string; accountId: string }[] }>;
  listBridgeKeys: (device: DeviceIdentity) => Promise<{ items: BridgeKeyBody[] }>;
  /** @param correlator the request's `x-correlator`; none over the stream. An armed fallback and its SMS carry it. */
  sendMessage: (device: DeviceIdentity, accountId: string, body: unknown, correlator?: string) => Promise<SentMessage>;
  /** @param limit 1 to 100. */
  readQueue: (device: DeviceIdentity, limit: number) => Promise<{ items: Envelope[]; hasMore: boolean }>;
  ackQueue: (device: DeviceIdentity, body: unknown) => Promise<{ acknowledged: number }>;
}

/** As on the wire: instants are RFC 3339. */
export interface BridgeKeyBody {
  keyId: string;
  suite: string;
  publicKey: string;
  notBefore: string;
  notAfter: string;
}

const PAGE_MAX = 100;

export function createCalls(parts: {
  accounts: Accounts;
  devices: Devices;
  keys: Keys;
  messages: Messages;
  queue: Queue;
  bridgeKeys: BridgeKeys;
  limits: EngineLimits;
}): MessagingCalls {
  const { accounts, devices, keys, messages, queue } = parts;
  const registrations = createLimiter(parts.limits.registrations);
  const tokens = createLimiter(parts.limits.tokens);
  const contacts = createLimiter(parts.limits.contacts);
  const keyClaims = createLimiter(parts.limits.keyClaims);

  return {
    async registerAccount(address, body) {
      await registrations.take(addressKey(address));
      const { msisdn, verification, device, language } = parseRequest(requests.registerAccount, body);
      return accounts.register({ msisdn: parseMsisdn(msisdn, '/msisdn'), verificationToken: verification.token, device, language });
    },

    async createDeviceToken(address, body) {
      await tokens.take(addressKey(address));
      return accounts.token(parseRequest(requests.createDeviceToken, body));
    },

    async uploadKeys(device, body) {
      return { oneTimeKeyCount: await keys.upload(device, parseRequest(requests.uploadKeys, body)) };
    },

    async countKeys(device) {
      return { oneTimeKeyCount: await keys.count(device) };
    },

    async queryKeys(device, body) {
      const { accountIds } = parseRequest(requests.queryKeys, body);
      await devices.assertCurrent(device);
      return { accounts: await keys.query(accountIds) };
    },

    async claimKeys(device, body) {
      const wanted = parseRequest(requests.claimKeys, body).devices;
      await devices.assertCurrent(device);
      await keyClaims.take(device.deviceId, wanted.length);
      return { keys: await keys.claim(wanted) };
    },

    async searchContacts(device, body) {
      const { msisdns } = parseRequest(requests.searchContacts, body);
      await devices.assertCurrent(device);
      await contacts.take(device.deviceId, msisdns.length);
      return { items: await accounts.search(msisdns) };
    },

    async listBridgeKeys(device) {
      await devices.assertCurrent(device);
      const items = parts.bridgeKeys.list().map(({ keyId, suite, publicKey, notBefore, notAfter }) => ({
        keyId,
        suite,
        publicKey,
        notBefore: toRfc3339(notBefore),
        notAfter: toRfc3339(notAfter),
      }));
      return { items };
    },

    async sendMessage(device, accountId, body, correlator) {
      if (!isId('acc', accountId)) throw invalidField('/path/accountId', 'must be the id of an account');
      return messages.send(device, accountId, parseRequest(requests.sendMessage, body), correlator);
    },

    async readQueue(device, limit) {
      await devices.assertCurrent(device);
      const most = Math.min(Math.max(1, limit), PAGE_MAX);
      const found = await queue.read(device.deviceId, 0, most + 1);
      return { items: found.slice(0, most), hasMore: found.length > most };
    },

    async ackQueue(device, body) {
      const { envelopeIds } = parseRequest(requests.ackQueue, body);
      await devices.assertCurrent(device);
      return { acknowledged: await queue.acknowledge(device.deviceId, envelopeIds) };
    },
  };
}
