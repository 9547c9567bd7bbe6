import type { KeyRing } from '../../kernel/key-wrap.js';
import { ringKeyPurpose } from './open-opener.js';
import { openRingFile } from './ring-file.js';

/** Wraps the opener's private keys under the ring's current key. @returns how many there were to do. */
export function rewrapOpenerRing(keysFolder: string, ring: KeyRing): number {
  const file = openRingFile(keysFolder);
  const keys = file.read();
  let done = 0;
  const next = keys.map((key) => {
    const again = ring.rewrap(key.wrappedPrivateKey, ringKeyPurpose(key.keyId));
    if (again === undefined) return key;
    done += 1;
    return { ...key, wrappedPrivateKey: again };
  });
  if (done > 0) file.write(next);
  return done;
}
