import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { PublicJwk } from './partner.js';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

const jwksSchema = z.object({
  keys: z
    .array(z.looseObject({ kty: z.enum(['EC', 'RSA', 'OKP']), kid: z.string().min(1).max(128) }))
    .min(1)
    .max(20)
    .refine((keys) => new Set(keys.map(({ kid }) => kid)).size === keys.length),
});

/** A client's key set (RFC 7517 §5): 1 to 20 public keys, each with a `kid` of its own. */
export async function readJwks(file: string): Promise<{ keys: readonly PublicJwk[] } | { message: string }> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return { message: 'names a file that cannot be read as JSON; fix: put the key set (RFC 7517) there' };
  }
  const result = jwksSchema.safeParse(content);
  if (!result.success)
    return { message: 'names a file that is not a key set; fix: 1 to 20 keys of kty EC, RSA or OKP, each with a kid of its own' };
  if (result.data.keys.some((key) => PRIVATE_MEMBERS.some((member) => member in key))) {
    return { message: 'names a file with a private key in it; fix: put the public keys only, and replace that key, since it was shared' };
  }
  return { keys: result.data.keys };
}
