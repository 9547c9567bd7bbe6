import { randomInt } from 'node:crypto';
import { toRfc3339 } from '../../kernel/clock.js';
import { assert, GatewayError, invalidField, notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/ids.js';
import { deviceGone } from '../accounts/devices.js';
import type { Lines } from '../accounts/lines.js';
import type { EngineContext } from '../context.js';
import type { FallbackClass, FallbackMode, SealedText } from '../fallbacks/types.js';
import type { BridgeKeys, DeviceIdentity, FallbackPolicy } from '../hooks.js';
import { type ArmItem, type SendResult, type StoredMessage, sendMessages } from './send-operation.js';
import { createTurns } from './turns.js';

/** A message as its sender's client hands it in, bounds checked (requests.ts). */
export interface OutgoingMessage {
  clientMsgId: string;
  ref?: string | undefined;
  ttlSeconds: number;
  devices: readonly { deviceId: string; registrationId: number; suite: string; body: string }[];
  fallback?: FallbackWish | undefined;
}

export interface FallbackWish {
  mode: FallbackMode;
  class: FallbackClass;
  afterSeconds?: number | undefined;
  senderName?: string | undefined;
  sealed?: SealedText | undefined;
}

export interface SentMessage {
  messageId: string;
  /** RFC 3339. */
  storedAt: string;
  /** Whether this repeats an earlier call; the answer is that call's. */
  replayed: boolean;
  fallback?: { id: string; state: 'armed'; dueAt: string };
}

export interface Messages {
  /**
   * Stores a message for every device of an account, and arms its fallback when the sender wishes one. What one device
   * sends without waiting for the answers is stored in the order of its calls.
   *
   * @param correlator `^[A-Za-z0-9_.:;/<>{}-]{1,256}$`, the caller's id of the request that the fallback goes back to.
   * @throws GatewayError 404 for an unknown account, `MESSAGING.DEVICES_MISMATCH` (409), `MESSAGING.DEVICES_STALE` (410),
   *   `QUOTA_EXCEEDED` (429) when the recipient's queue is full, `MESSAGING.FALLBACK_NOT_ALLOWED` and
   *   `MESSAGING.BRIDGE_KEY_UNKNOWN` (422). Then nothing was stored.
   */
  send(sender: DeviceIdentity, accountId: string, message: OutgoingMessage, correlator?: string): Promise<SentMessage>;
}

/** How long the app copy has before the SMS goes out, in seconds. */
export const DEFAULT_AFTER_SECONDS: Record<FallbackClass, number> = { otp: 30, urgent: 60, chat: 300 };

/** CAMARA's `x-correlator`: it goes into JSON text that SQL puts together (fact-sql.ts). */
const CORRELATOR = /^[A-Za-z0-9_.:;/<>{}-]{1,256}$/;

const REF_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const newRef = (): string => Array.from({ length: 4 }, () => REF_ALPHABET[randomInt(32)]).join('');

export function createMessages(
  { store, clock, domainClock, announce }: EngineContext,
  hooks: { lines: Lines; policy: FallbackPolicy; bridgeKeys: BridgeKeys; queueMax: number },
): Messages {
  const turns = createTurns();

  /** The row to write for a wish that may be granted. */
  async function arm(
    sender: DeviceIdentity,
    accountId: string,
    wish: FallbackWish,
    expiresAt: number,
    correlator: string | undefined,
  ): Promise<ArmItem> {
    const sealed = wish.mode === 'sealed' ? wish.sealed : undefined;
    if (wish.mode === 'sealed') {
      if (!sealed) throw invalidField('/fallback/sealed', 'must be there when the mode is "sealed"');
      if (!hooks.bridgeKeys.isCurrent(sealed.keyId)) {
        throw new GatewayError('MESSAGING.BRIDGE_KEY_UNKNOWN', {
          detail: 'The fallback text is sealed to a key that the bridge does not use now.',
          hint: 'Read the bridge keys again and seal to the first.',
        });
      }
      if (Date.parse(sealed.expiresAt) <= clock.now()) throw refused('The sealed text has expired already.');
    }
    const [account] = await store.read<{ msisdn: string }>('SELECT msisdn FROM engine_account WHERE id = $1 AND ended_at IS NULL', [
      accountId,
    ]);
    if (!account) throw notFound('account');
    const line = await hooks.lines.get(account.msisdn);
    if (!line) throw refused("The recipient's number is not a line of any partner.");
    assert(correlator === undefined || CORRELATOR.test(correlator), 'a correlator is a code');
    const { partnerId, market, epoch } = line;
    const asked = {
      partnerId,
      market,
      mode: wish.mode,
      class: wish.class,
      senderAccountId: sender.accountId,
      recipientMsisdn: line.msisdn,
    };
    const admission = await hooks.policy.admit(asked);
    if (!admission.admitted) throw refused(admission.reason);
    const armedAt = domainClock.now(partnerId);
    return {
      id: newId('fb', clock.now()),
      factId: newId('evt', clock.now()),
      mode: wish.mode,
      class: wish.class,
      partnerId,
      market,
      lineEpoch: epoch,
      subscriptionId: admission.subscriptionId ?? null,
      correlator: correlator ?? null,
      senderName: wish.senderName ?? null,
      sealed: sealed ? JSON.stringify(sealed) : null,
      armedAt,
      dueAt: armedAt + (wish.afterSeconds ?? DEFAULT_AFTER_SECONDS[wish.class]) * 1_000,
      expiresAt: sealed ? Math.min(expiresAt, Date.parse(sealed.expiresAt)) : expiresAt,
    };
  }

  /** What was stored under the sender's id before; asked first, so that a repeat is judged by nothing that has changed since. */
  async function earlier(sender: DeviceIdentity, clientMsgId: string): Promise<StoredMessage | undefined> {
    const [row] = await store.read<{ message_id: string; stored_at: number; fallback_id: string | null; fallback_due_at: number | null }>(
      'SELECT message_id, stored_at, fallback_id, fallback_due_at FROM engine_sent WHERE sender_device_id = $1 AND client_msg_id = $2',
      [sender.deviceId, clientMsgId],
    );
    if (!row) return undefined;
    const fallback = row.fallback_id === null ? undefined : { id: row.fallback_id, dueAt: Number(row.fallback_due_at) };
    return { messageId: row.message_id, storedAt: Number(row.stored_at), fallback };
  }

  return {
    async send(sender, accountId, message, correlator) {
      const { clientMsgId, devices, fallback: wish } = message;
      const turn = turns(sender.deviceId);
      try {
        const first = await earlier(sender, clientMsgId);
        if (first) return sentMessage(first, true);
        const sentAt = clock.now();
        const expiresAt = sentAt + message.ttlSeconds * 1_000;
        const fallback = wish ? await arm(sender, accountId, wish, expiresAt, correlator) : null;
        await turn.came;
        const storing = store.run(sendMessages, {
          messageId: newId('msg', sentAt),
          senderAccountId: sender.accountId,
          senderDeviceId: sender.deviceId,
          accountId,
          clientMsgId,
          // The SMS needs one, and the app copy must carry the same.
          ref: message.ref ?? (fallback ? newRef() : null),
          sentAt,
          expiresAt,
          deviceCount: devices.length,
          devices: devices.map(({ deviceId, registrationId, suite, body }) => ({ deviceId, registrationId, suite, body })),
          queueMax: hooks.queueMax,
          fallback,
        });
        // What is handed in is stored in this order; nobody waits for the commit.
        turn.pass();
        const result = await storing;
        const stored = storedOrThrow(result);
        if (result.outcome === 'stored') {
          for (const { deviceId } of devices) announce.envelopes(deviceId);
          if (fallback) announce.facts();
        }
        return sentMessage(stored, result.outcome === 'replayed');
      } finally {
        turn.pass();
      }
    },
  };
}

const refused = (detail: string): GatewayError => new GatewayError('MESSAGING.FALLBACK_NOT_ALLOWED', { detail });

function sentMessage({ messageId, storedAt, fallback }: StoredMessage, replayed: boolean): SentMessage {
  return {
    messageId,
    storedAt: toRfc3339(storedAt),
    replayed,
    ...(fallback ? { fallback: { id: fallback.id, state: 'armed', dueAt: toRfc3339(fallback.dueAt) } } : {}),
  };
}

function storedOrThrow(result: SendResult): StoredMessage {
  switch (result.outcome) {
    case 'stored':
    case 'replayed':
      return result.message;
    case 'sender-gone':
      throw deviceGone();
    case 'unknown-account':
      throw notFound('account');
    case 'mismatch': {
      const { missingDevices, extraDevices } = result;
      throw new GatewayError('MESSAGING.DEVICES_MISMATCH', {
        detail: "The message must name each of the account's devices, and no other.",
        extra: { missingDevices, extraDevices },
      });
    }
    case 'stale':
      throw new GatewayError('MESSAGING.DEVICES_STALE', {
        detail: 'A device has registered anew; encrypt for it again.',
        extra: { staleDevices: result.staleDevices },
      });
    case 'queue-full':
      throw new GatewayError('QUOTA_EXCEEDED', {
        detail: "The recipient's queue is full.",
        hint: 'The recipient has been away for long; try again later.',
        headers: { 'Retry-After': '3600' },
      });
  }
}
