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
