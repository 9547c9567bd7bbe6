import { randomBytes, type webcrypto } from 'node:crypto';
import type { Clock, Instant, Timer } from '../../kernel/clock.js';
import type { Closable } from '../../kernel/closing-stack.js';
import { GatewayError } from '../../kernel/errors.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { Log } from '../../kernel/log.js';
import {
  base64Url,
  bytesOf,
  createHpkeSuite,
  FALLBACK_INFO,
  type FallbackBinding,
  fallbackAad,
  HPKE_SUITE,
  REPLY_INFO,
  type ReplyBinding,
  replyAad,
  utf8,
} from './hpke.js';
import { openRingFile, type RestingKey } from './ring-file.js';

/** A public key that senders may seal to. Instants are milliseconds of the wall clock. */
export interface BridgeKey {
  readonly keyId: string;
  readonly suite: string;
  /** base64url without padding. */
  readonly publicKey: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
}

export interface SealedText {
  keyId: string;
  enc: string;
  ciphertext: string;
}

/**
 * The one component that can open what a sender sealed to the bridge. Its answers are promises, so that it may as well
 * stand in a process of its own or at the recipient's operator.
 */
export interface Opener extends Closable {
  /** Keys that may be sealed to now, the current one first. */
  currentKeys(): readonly BridgeKey[];
  /** Whether that key may be sealed to now; another node of ours may have made it a moment ago. */
  isCurrent(keyId: string): boolean;
  /** Whether the ring still can open what was sealed to this key. */
  knows(keyId: string): boolean;
  /**
   * Opens a sealed text. The caller keeps the answer in a local variable, and only for the moment of submit_sm.
   *
   * @throws GatewayError `GONE` after `expiresAt`, `MESSAGING.BRIDGE_KEY_UNKNOWN` when the key is no more, and
   *   `INVALID_ARGUMENT` when it was sealed for something else or changed. None says anything of the text.
   */
  open(sealed: SealedText, binding: FallbackBinding): Promise<string>;
  /** Seals an answer that came by SMS to the device that it is for. @throws GatewayError `INVALID_ARGUMENT`: the key is not one. */
  sealReply(reply: ReplyBinding & { deviceReplyKey: string; text: string; from: string }): Promise<{ enc: string; ciphertext: string }>;
  close(): void;
}

export interface OpenerOptions {
  /** Where the ring lies, outside the database and its backups. */
  keysFolder: string;
  /** Wraps each private key. */
  masterKey: KeyWrap;
  clock: Clock;
  log: Log;
  /** How often a new key becomes the current one; 1 hour. */
  rotateEveryMs?: number;
  /** How long after its rotation a key may still be sealed to by clients that read it before; 1 hour. */
  overlapMs?: number;
  /** How long after a key may be sealed to for the last time its texts can be opened: the longest timer, a breaker, retries; 3 days. */
  textLivesMaxMs?: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
export const ringKeyPurpose = (keyId: string): string => `sms-opener-ring:${keyId}`;
/** A failed rotation (a full disk, say) is tried again after this; the overlap covers it. */
const RETRY_MS = 60_000;

interface RingKey extends RestingKey {
  privateKey: webcrypto.CryptoKey;
}

/**
 * Opens the ring, making its first key when there is none, and rotates it on the clock. A key is destroyed, in the file and
 * in memory, when the last text that may have been sealed to it has expired.
 */
export async function openOpener(options: OpenerOptions): Promise<Opener> {
  const { keysFolder, masterKey, clock, log } = options;
  const { rotateEveryMs = HOUR_MS, overlapMs = HOUR_MS, textLivesMaxMs = 3 * DAY_MS } = options;
  const file = openRingFile(keysFolder);
  const suite = createHpkeSuite();
  let ring: RingKey[] = [];
  let timer: Timer | undefined;
  let closed = false;

  async function wake(resting: RestingKey): Promise<RingKey> {
    const bytes = masterKey.unwrap(resting.wrappedPrivateKey, ringKeyPurpose(resting.keyId));
    return { ...resting, privateKey: await suite.kem.deserializePrivateKey(new Uint8Array(bytes).buffer) };
  }

  async function createKey(now: Instant): Promise<RingKey> {
    const pair = await suite.kem.generateKeyPair();
    const keyId = `bk_${randomBytes(12).toString('hex')}`;
    const secret = new Uint8Array(await suite.kem.serializePrivateKey(pair.privateKey));
    const wrappedPrivateKey = masterKey.wrap(secret, ringKeyPurpose(keyId));
    secret.fill(0);
    const publicKey = base64Url(await suite.kem.serializePublicKey(pair.publicKey));
    return { keyId, publicKey, wrappedPrivateKey, notBefore: now, notAfter: now + rotateEveryMs + overlapMs, privateKey: pair.privateKey };
  }

  const resting = ({ keyId, publicKey, wrappedPrivateKey, notBefore, notAfter }: RingKey): RestingKey => ({
    keyId,
    publicKey,
    wrappedPrivateKey,
    notBefore,
    notAfter,
  });

  const isDue = (keys: readonly RestingKey[], now: Instant): boolean =>
    (keys.at(-1)?.notBefore ?? Number.NEGATIVE_INFINITY) + rotateEveryMs <= now;
  const byAge = (a: RestingKey, b: RestingKey): number => a.notBefore - b.notBefore || (a.keyId < b.keyId ? -1 : 1);

  /** Nodes share the ring: whoever comes first makes the next key, and the others take it from the file. */
  async function rotate(): Promise<void> {
    const now = clock.now();
    const fresh = isDue(file.read(), now) ? await createKey(now) : undefined;
    const own = new Map([...ring, ...(fresh ? [fresh] : [])].map((key) => [key.keyId, key]));
    const isLive = (key: RestingKey): boolean => key.notAfter + textLivesMaxMs > now;
    let isOurs = false;
    let destroyed = 0;
    const next = file.change((keys) => {
      const known = new Set(keys.map(({ keyId }) => keyId));
      const whole = [...keys, ...ring.filter(({ keyId }) => !known.has(keyId)).map(resting)].sort(byAge);
      const kept = whole.filter(isLive);
      destroyed = whole.length - kept.length;
      isOurs = fresh !== undefined && isDue(kept, now);
      return isOurs && fresh ? [...kept, resting(fresh)] : kept;
    });
    ring = await Promise.all(next.map(async (key) => own.get(key.keyId) ?? (await wake(key))));
    if (isOurs || destroyed > 0) log.info({ keys: next.length, destroyed, keyId: next.at(-1)?.keyId }, 'opener keys rotated');
  }

  function schedule(delayMs: number): void {
    if (closed) return;
    timer = clock.setTimer(delayMs, () => {
      rotate().then(
        () => schedule(untilNextMs()),
        (failure: unknown) => {
          log.error({ failure: failure instanceof Error ? failure.name : 'unknown' }, 'opener keys could not be rotated');
          schedule(RETRY_MS);
        },
      );
    });
  }

  const untilNextMs = (): number => Math.max(1_000, (ring.at(-1)?.notBefore ?? 0) + rotateEveryMs - clock.now());

  async function keyFor(keyId: string): Promise<RingKey | undefined> {
    const found = ring.find((key) => key.keyId === keyId);
    if (found) return found;
    // Another node of ours may have made it since.
    const stranger = file.read().find((key) => key.keyId === keyId);
    return stranger && wake(stranger);
  }

  await rotate();
  schedule(untilNextMs());

  return {
    currentKeys() {
      const now = clock.now();
      return ring
        .filter((key) => key.notBefore <= now && now < key.notAfter)
        .reverse()
        .map(({ keyId, publicKey, notBefore, notAfter }) => ({ keyId, suite: HPKE_SUITE, publicKey, notBefore, notAfter }));
    },
    isCurrent(keyId) {
      const now = clock.now();
      const key = ring.find((each) => each.keyId === keyId) ?? file.read().find((each) => each.keyId === keyId);
      return key !== undefined && key.notBefore <= now && now < key.notAfter;
    },
    knows: (keyId) => ring.some((key) => key.keyId === keyId && key.notAfter + textLivesMaxMs > clock.now()),
    async open({ keyId, enc, ciphertext }, binding) {
      const expiresAt = Date.parse(binding.expiresAt);
      if (!(clock.now() < expiresAt)) throw new GatewayError('GONE', { detail: 'The sealed text has expired.' });
      const key = await keyFor(keyId);
      if (!key || key.notAfter + textLivesMaxMs <= clock.now()) {
        throw new GatewayError('MESSAGING.BRIDGE_KEY_UNKNOWN', { detail: 'The key that the text is sealed to is no more.' });
      }
      try {
        const recipient = { recipientKey: key.privateKey, enc: bytesOf(enc), info: FALLBACK_INFO };
        const plain = await suite.open(recipient, bytesOf(ciphertext), fallbackAad(binding));
        return new TextDecoder('utf-8', { fatal: true }).decode(plain);
      } catch {
        // No cause: a library's message may say more than ours.
        throw new GatewayError('INVALID_ARGUMENT', { detail: 'The sealed text does not open for this message.' });
      }
    },
    async sealReply({ deviceReplyKey, text, from, ...binding }) {
      try {
        const recipientPublicKey = await suite.kem.deserializePublicKey(bytesOf(deviceReplyKey));
        const plain = utf8(JSON.stringify({ text, from }));
        const { enc, ct } = await suite.seal({ recipientPublicKey, info: REPLY_INFO }, plain, replyAad(binding));
        return { enc: base64Url(enc), ciphertext: base64Url(ct) };
      } catch {
        throw new GatewayError('INVALID_ARGUMENT', { detail: "The device's reply key is not a key of this suite." });
      }
    },
    close() {
      closed = true;
      timer?.cancel();
    },
  };
}

/** The opener's keys as the engine asks for them. */
export const bridgeKeysOf = (opener: Pick<Opener, 'currentKeys' | 'isCurrent'>) => ({
  list: () => opener.currentKeys(),
  isCurrent: (keyId: string) => opener.isCurrent(keyId),
});
