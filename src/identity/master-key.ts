import { createCipheriv, createDecipheriv, createHash, randomBytes, randomFillSync } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, linkSync, openSync, readFileSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assert, GatewayError } from '../kernel/errors.js';
import type { KeyRing } from '../kernel/key-wrap.js';
import { makeFolder } from '../kernel/make-folder.js';

/** `w2.<key id>.<sealed>`; `w1.<sealed>` is of before keys had ids, and opens with any of the ring. */
const FORMAT = 'w2';
const FORMAT_WITHOUT_ID = 'w1';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const FILE = 'master.key';

/** Where the master key lies. */
export const masterKeyFile = (keysFolder: string): string => join(keysFolder, FILE);

/**
 * The master key of `<keysFolder>/master.key`: 32 random bytes in base64url, mode 0600. The sandbox makes it when it is
 * absent; production wants it to have been put there, so that a lost volume is noticed before new keys are made.
 * While the key is rotated the file has more than one line: the first wraps, the others open.
 *
 * @throws GatewayError `CONFIG.INVALID` when it is absent, malformed, or (in production) readable by others.
 */
export function openMasterKey({ keysFolder, environment }: { keysFolder: string; environment: 'sandbox' | 'production' }): KeyRing {
  const file = masterKeyFile(keysFolder);
  if (!exists(file)) {
    if (environment === 'production')
      throw refused(`There is no master key at ${file}.`, 'Put the 32-byte key there (base64url, mode 0600).');
    makeKey(keysFolder, file);
  }
  if ((statSync(file).mode & 0o077) !== 0) {
    if (environment === 'production') throw refused(`The master key at ${file} is readable by others.`, `chmod 600 ${file}`);
    chmodSync(file, 0o600);
  }
  return readMasterKey(keysFolder);
}

/** The ring of a keys folder as it is, changing nothing. @throws GatewayError `CONFIG.INVALID` when there is none, or it is malformed. */
export function readMasterKey(keysFolder: string): KeyRing {
  const file = masterKeyFile(keysFolder);
  return createKeyRing(readKeys(file), () => readKeys(file));
}

function readKeys(file: string): Buffer[] {
  if (!exists(file)) throw refused(`There is no master key at ${file}.`, 'Put the 32-byte key there (base64url, mode 0600).');
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const key = Buffer.from(line.trim(), 'base64url');
    if (key.length === KEY_BYTES && key.toString('base64url') === line.trim()) return key;
    throw refused(`The master key at ${file} is not 32 bytes in base64url.`, 'Put the key back that wrapped this data.');
  });
}

/**
 * Puts a new key before the others of the file: it wraps from now on, and they still open. The file is replaced whole, so
 * that a crash leaves the one or the other.
 */
export function addMasterKey(keysFolder: string): void {
  const file = masterKeyFile(keysFolder);
  writeKeys(file, [randomBytes(KEY_BYTES), ...readKeys(file)]);
}

/** Drops every key but the first. What they wrapped and nobody wrapped anew is lost. */
export function dropOlderMasterKeys(keysFolder: string): void {
  const file = masterKeyFile(keysFolder);
  writeKeys(file, readKeys(file).slice(0, 1));
}

function writeKeys(file: string, keys: readonly Uint8Array[]): void {
  const draft = `${file}.new`;
  const handle = openSync(draft, 'w', 0o600);
  try {
    writeSync(handle, keys.map((key) => `${Buffer.from(key).toString('base64url')}\n`).join(''));
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(draft, file);
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** One key and no other. */
export const createKeyWrap = (key: Uint8Array): KeyRing => createKeyRing([key]);

/** Not secret: it tells which key of a ring a text wants. */
const idOf = (key: Uint8Array): string => createHash('sha256').update('causeway master key id').update(key).digest('hex').slice(0, 12);

/** Drawn for many nonces at a time: a draw takes longer than what it is for. None is used twice. */
const nonces = Buffer.alloc(256 * IV_BYTES);
let noncesUsed = nonces.length;

function nextIv(): Buffer {
  if (noncesUsed === nonces.length) {
    randomFillSync(nonces);
    noncesUsed = 0;
  }
  noncesUsed += IV_BYTES;
  return nonces.subarray(noncesUsed - IV_BYTES, noncesUsed);
}

/**
 * AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D §8.2.2); the purpose is authenticated with the secret.
 *
 * @param given the current key first. @param reload asked for the keys when a text names one that is not known: another
 *   node may have rotated.
 */
export function createKeyRing(given: readonly Uint8Array[], reload?: () => readonly Uint8Array[]): KeyRing {
  let keys = given.map((key) => ({ id: idOf(key), key }));

  function candidates(wrapped: string): { keys: readonly Uint8Array[]; sealed: Buffer } {
    const [format, ...rest] = wrapped.split('.');
    const [id, text] = format === FORMAT ? rest : [undefined, rest[0]];
    const sealed = Buffer.from(text ?? '', 'base64url');
    if ((format !== FORMAT && format !== FORMAT_WITHOUT_ID) || sealed.length < IV_BYTES + TAG_BYTES)
      throw new Error('not a wrapped secret');
    const fitting = () => keys.filter((one) => id === undefined || one.id === id).map(({ key }) => key);
    if (fitting().length === 0 && reload) keys = reload().map((key) => ({ id: idOf(key), key }));
    return { keys: fitting(), sealed };
  }

  const ring: KeyRing = {
    size: () => keys.length,
    prefix: () => `${FORMAT}.${keys[0]?.id}.`,
    wrap(plain, purpose) {
      const current = keys[0];
      assert(current, 'a ring has a key');
      const iv = nextIv();
      const cipher = createCipheriv('aes-256-gcm', current.key, iv).setAAD(Buffer.from(purpose));
      const body = cipher.update(plain);
      cipher.final();
      return `${FORMAT}.${current.id}.${Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64url')}`;
    },
    unwrap(wrapped, purpose) {
      const { keys: fitting, sealed } = candidates(wrapped);
      let cause: unknown;
      for (const key of fitting) {
        const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES)).setAAD(Buffer.from(purpose));
        decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
        const plain = decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES));
        try {
          return Buffer.concat([plain, decipher.final()]);
        } catch (failure) {
          cause = failure;
        }
      }
      throw new GatewayError('CONFIG.INVALID', {
        detail: 'A stored secret does not open with the master key in CAUSEWAY_KEYS_DIR.',
        hint: 'Put the key back that wrapped this data.',
        cause,
      });
    },
    rewrap(wrapped, purpose) {
      if (wrapped.startsWith(ring.prefix())) return undefined;
      const plain = ring.unwrap(wrapped, purpose);
      const again = ring.wrap(plain, purpose);
      plain.fill(0);
      return again;
    },
  };
  return ring;
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Whole and on the disk before it has its name, since what it wraps cannot be opened with half of it. */
function makeKey(folder: string, file: string): void {
  makeFolder(folder);
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = openSync(draft, 'wx', 0o600);
  try {
    writeSync(handle, `${randomBytes(KEY_BYTES).toString('base64url')}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  try {
    linkSync(draft, file);
  } catch (failure) {
    // Another process made one at the same moment: its key is the key.
    if (!(failure instanceof Error) || Reflect.get(failure, 'code') !== 'EEXIST') throw failure;
  } finally {
    unlinkSync(draft);
  }
}

const refused = (detail: string, hint: string): GatewayError => new GatewayError('CONFIG.INVALID', { detail, hint });
