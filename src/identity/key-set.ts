import type { JsonWebKey } from 'node:crypto';
import { z } from 'zod';

/** A public key as its owner published it (RFC 7517). */
export type PublicJwk = JsonWebKey & { kid?: string; alg?: string };

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const keySetSchema = z.object({
  keys: z
    .array(z.looseObject({ kty: z.enum(['EC', 'RSA', 'OKP']), kid: z.string().min(1).max(128) }))
    .min(1)
    .max(20)
    .refine((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length),
});

/** What keeps a text from being a key set: it is no JSON, not of the form, or it holds a private key. */
export type KeySetProblem = 'not-json' | 'not-a-key-set' | 'private-key';

/** A client's key set (RFC 7517 §5): 1 to 20 public keys, each with a `kid` of its own. */
export function parseKeySet(text: string): { keys: readonly PublicJwk[] } | { problem: KeySetProblem } {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return { problem: 'not-json' };
  }
  const result = keySetSchema.safeParse(content);
  if (!result.success) return { problem: 'not-a-key-set' };
  if (result.data.keys.some((key) => PRIVATE_MEMBERS.some((member) => member in key))) return { problem: 'private-key' };
  return { keys: result.data.keys };
}
