import { DeviceLists, initAsync, OlmMachine, ProcessedToDeviceEventType, RequestType } from '@matrix-org/matrix-sdk-crypto-wasm';
import { deviceIdOf, toMatrixUser, userIdOf } from './matrix-ids.js';
import { claimKeys, OLM_SUITE, queryKeys, readToDevice, uploadKeys } from './olm-requests.js';
import { isRecord, MessagingError, parseJsonObject } from './problem.js';
import type { Call, DeviceBody, Envelope } from './wire.js';

const MESSAGE_TYPE = 'causeway.message';
const ONE_TIME_KEYS = 'signed_curve25519';
/** A new session uses up one of our one-time keys; after this many of its messages the server is asked how many are left. */
const RECOUNT_AFTER = 10;

/**
 * Where the library keeps sessions. It knows one durable store, IndexedDB; without a name the state is in memory and a
 * device that comes back must register again. On Node a name needs an IndexedDB shim in `globalThis.indexedDB`.
 */
export interface OlmStore {
  name: string;
  passphrase?: string;
}

export type Opened =
  | { kind: 'payload'; payload: Record<string, unknown> }
  /** The library's own traffic, such as the repair of a session: nothing to show. */
  | { kind: 'control' }
  | { kind: 'undecryptable'; reason: string };

export interface OlmDevice {
  /** Ed25519 identity key, base64: what two people compare to be sure of each other. */
  readonly fingerprint: string;
  /** Uploads what the server lacks: identity, one-time keys, fallback key. */
  publishKeys(): Promise<void>;
  /** One body per device of `accountId`. Send them in the order they were made. Not to be called twice at once. */
  encryptFor(accountId: string, payload: Record<string, unknown>): Promise<DeviceBody[]>;
  /** Asks for the account's devices anew before the next message: the server named a mismatch. */
  refreshDevices(accountId: string): Promise<void>;
  open(envelope: Envelope): Promise<Opened>;
  /** True when the server should be asked how many one-time keys are left. */
  needsRecount(): boolean;
  /** Tells how many one-time keys the server has left and uploads new ones as needed. Not to be called twice at once. */
  topUp(oneTimeKeyCount: number): Promise<void>;
  close(): void;
}

/**
 * A device's Olm identity and sessions.
 *
 * @param given.call reaches the messaging API; key upload, query and claim go through it.
 * @param given.sendControl carries a message of the library's own to a device.
 */
export async function openOlmDevice(given: {
  accountId: string;
  deviceId: string;
  call: Call;
  sendControl: (accountId: string, body: DeviceBody) => Promise<void>;
  store?: OlmStore | undefined;
}): Promise<OlmDevice> {
  const { accountId: ownAccount, deviceId: ownDevice, call, store } = given;
  await initAsync();
  const machine = await OlmMachine.initialize(userIdOf(ownAccount), deviceIdOf(ownDevice), store?.name, store?.passphrase);
  const registrations = new Map<string, number>();
  let oneTimeKeyCount = 0;
  let sessionStarts = 0;

  // The machine takes an absent count for zero and would make fifty new keys on every message.
  const counts = () => new Map([[ONE_TIME_KEYS, oneTimeKeyCount]]);

  type Request = { readonly id?: string | undefined; readonly type: RequestType; readonly body: string };

  async function pump(extra?: Request | null): Promise<void> {
    for (const request of [...(await machine.outgoingRequests()), ...(extra ? [extra] : [])] as Request[]) {
      const answer = await carry(request.type, parseJsonObject(request.body) ?? {});
      if (request.id !== undefined && answer !== undefined)
        await machine.markRequestAsSent(request.id, request.type, JSON.stringify(answer));
    }
  }

  async function carry(type: RequestType, body: Record<string, unknown>): Promise<unknown> {
    if (type === RequestType.KeysUpload) {
      const { answer, oneTimeKeyCount: count } = await uploadKeys(call, body);
      oneTimeKeyCount = count;
      return answer;
    }
    if (type === RequestType.KeysQuery) {
      return queryKeys(call, body, (accountId, devices) => {
        for (const { deviceId, registrationId } of devices) registrations.set(`${accountId}/${deviceId}`, registrationId);
      });
    }
    if (type === RequestType.KeysClaim) return claimKeys(call, body);
    if (type === RequestType.ToDevice) {
      for (const { accountId, deviceId, body: text } of readToDevice(body)) {
        const registrationId = registrations.get(`${accountId}/${deviceId}`);
        if (registrationId !== undefined) await given.sendControl(accountId, { deviceId, registrationId, suite: OLM_SUITE, body: text });
      }
      return {};
    }
    // Cross-signing and key backup are not used.
    return undefined;
  }

  return {
    fingerprint: machine.identityKeys.ed25519.toBase64(),

    async publishKeys() {
      // Without word of the fallback key on the server the first upload would carry none.
      await machine.receiveSyncChanges('[]', new DeviceLists(), counts(), new Set<string>());
      await pump();
    },

    async encryptFor(accountId, payload) {
      await machine.updateTrackedUsers([userIdOf(accountId)]);
      await pump();
      await pump(await machine.getMissingSessions([userIdOf(accountId)]));
      const bodies: DeviceBody[] = [];
      for (const device of (await machine.getUserDevices(userIdOf(accountId))).devices()) {
        const deviceId = device.deviceId.toString();
        const registrationId = registrations.get(`${accountId}/${deviceId}`);
        if (registrationId === undefined || (accountId === ownAccount && deviceId === ownDevice)) continue;
        const body = await device.encryptToDeviceEvent(MESSAGE_TYPE, payload);
        bodies.push({ deviceId, registrationId, suite: OLM_SUITE, body });
      }
      return bodies;
    },

    async refreshDevices(accountId) {
      await pump(machine.queryKeysForUsers([userIdOf(accountId)]));
    },

    async open({ from, suite, body }) {
      const content = parseJsonObject(body);
      if (!from || suite !== OLM_SUITE || !content) return { kind: 'undecryptable', reason: 'not an olm-1 message' };
      if (startsSession(content)) sessionStarts += 1;
      const events = JSON.stringify([{ type: 'm.room.encrypted', sender: toMatrixUser(from.accountId), content }]);
      const [event] = await machine.receiveSyncChanges(events, new DeviceLists(), counts(), new Set([ONE_TIME_KEYS]));
      if (event?.type !== ProcessedToDeviceEventType.Decrypted || !('encryptionInfo' in event)) {
        return { kind: 'undecryptable', reason: 'no session opens it' };
      }
      // The library has checked the account inside against the envelope's; the device is ours to check.
      if (event.encryptionInfo.senderDevice?.toString() !== from.deviceId)
        return { kind: 'undecryptable', reason: 'another device wrote it' };
      const opened = parseJsonObject(event.rawEvent);
      if (opened?.['type'] !== MESSAGE_TYPE) return { kind: 'control' };
      return isRecord(opened['content'])
        ? { kind: 'payload', payload: opened['content'] }
        : { kind: 'undecryptable', reason: 'no content' };
    },

    needsRecount: () => sessionStarts >= RECOUNT_AFTER,

    async topUp(count) {
      sessionStarts = 0;
      oneTimeKeyCount = count;
      // At zero the fallback key may have been handed out, so it is replaced as well.
      await machine.receiveSyncChanges('[]', new DeviceLists(), counts(), new Set(count === 0 ? [] : [ONE_TIME_KEYS]));
      await pump();
    },

    close: () => machine.close(),
  };
}

/** Olm message type 0 is a pre-key message: it starts a session. */
function startsSession(content: Record<string, unknown>): boolean {
  const perKey = isRecord(content['ciphertext']) ? Object.values(content['ciphertext']) : [];
  return perKey.some((part) => isRecord(part) && part['type'] === 0);
}

/** Says that a message could be encrypted for none of the account's devices. */
export const noDevices = () => new MessagingError('CLIENT.NO_DEVICES', 'The recipient has no device that can receive.');
