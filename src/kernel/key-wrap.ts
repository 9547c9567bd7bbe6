/**
 * Encrypts secrets for rest (signing keys, webhook secrets, the opener's ring) under a master key that lives outside the
 * database and its backups.
 */
export interface KeyWrap {
  /** @param purpose bound to the ciphertext: a secret wrapped for one purpose opens for no other. */
  wrap(plain: Uint8Array, purpose: string): string;
  /** @throws when the text was changed, wrapped under another key, or for another purpose. */
  unwrap(wrapped: string, purpose: string): Uint8Array;
}

/** One current key that wraps, and older ones that still open what they wrapped while the rest is wrapped anew. */
export interface KeyRing extends KeyWrap {
  /** 1, but for the time of a rotation. */
  size(): number;
  /** What every text begins with that the current key wrapped; no character of it is special in a LIKE. */
  prefix(): string;
  /** The same secret under the current key; undefined when it is under that already. @throws as `unwrap`. */
  rewrap(wrapped: string, purpose: string): string | undefined;
}
