import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { KeyWrap } from '../../src/kernel/key-wrap.js';

/** AES-256-GCM under a key of the test's own. */
export function createFakeKeyWrap(master: Uint8Array = randomBytes(32)): KeyWrap {
  return {
    wrap(plain, purpose) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', master, iv).setAAD(Buffer.from(purpose));
      return Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64url');
    },
    unwrap(wrapped, purpose) {
      const bytes = Buffer.from(wrapped, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', master, bytes.subarray(0, 12)).setAAD(Buffer.from(purpose));
      decipher.setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    },
  };
}
