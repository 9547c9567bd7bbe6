import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { chmodSync, closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '../kernel/errors.js';
import type { KeyWrap } from '../kernel/key-wrap.js';

const FORMAT = 'w1';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * The master key of `<keysFolder>/master.key`: 32 random bytes in base64url, mode 0600. The sandbox makes it when it is
 * absent; production wants it to have been put there, so that a lost volume is noticed before new keys are made.
 *
 * @throws GatewayError `CONFIG.INVALID` when it is absent, malformed, or (in production) readable by others.
 */
export function openMasterKey({ keysFolder, environment }: { keysFolder: string; environment: 'sandbox' | 'production' }): KeyWrap {
  const file = join(keysFolder, 'master.key');
  if (!exists(file)) {
    if (environment === 'production')
      throw refused(`There is no master key at ${file}.`, 'Put the 32-byte key there (base64url, mode 0600).');
    makeKey(keysFolder, file);
  }
  if ((statSync(file).mode & 0o077) !== 0) {
    if (environment === 'production') throw refused(`The master key at ${file} is readable by others.`, `chmod 600 ${file}`);
    chmodSync(file, 0o600);
  }
  const text = readFileSync(file, 'utf8').trim();
  const key = Buffer.from(text, 'base64url');
  if (key.length !== KEY_BYTES || key.toString('base64url') !== text) {
    throw refused(`The master key at ${file} is not 32 bytes in base64url.`, 'Put the key back that wrapped this data.');
  }
  return createKeyWrap(key);
}

/** AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D §8.2.2); the purpose is authenticated with the secret. */
export function createKeyWrap(key: Uint8Array): KeyWrap {
  return {
    wrap(plain, purpose) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(purpose));
      const sealed = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return `${FORMAT}.${sealed.toString('base64url')}`;
    },
    unwrap(wrapped, purpose) {
      const [format, text] = wrapped.split('.');
      const sealed = Buffer.from(text ?? '', 'base64url');
      if (format !== FORMAT || sealed.length < IV_BYTES + TAG_BYTES) throw new Error('not a wrapped secret');
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, IV_BYTES)).setAAD(Buffer.from(purpose));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      const plain = decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES));
      try {
        return Buffer.concat([plain, decipher.final()]);
      } catch (cause) {
        throw new GatewayError('CONFIG.INVALID', {
          detail: 'A stored secret does not open with the master key in CAUSEWAY_KEYS_DIR.',
          hint: 'Put the key back that wrapped this data.',
          cause,
        });
      }
    },
  };
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** Whole and on the disk before it has its name, since what it wraps cannot be opened with half of it. */
function makeKey(folder: string, file: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
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
