import { readFile } from 'node:fs/promises';
import { type KeySetProblem, type PublicJwk, parseKeySet } from '../identity/index.js';

const MESSAGES: Readonly<Record<KeySetProblem, string>> = {
  'not-json': 'names a file that cannot be read as JSON; fix: put the key set (RFC 7517) there',
  'not-a-key-set': 'names a file that is not a key set; fix: 1 to 20 keys of kty EC, RSA or OKP, each with a kid of its own',
  'private-key': 'names a file with a private key in it; fix: put the public keys only, and replace that key, since it was shared',
};

/** A client's key set in a file. */
export async function readJwks(file: string): Promise<{ keys: readonly PublicJwk[] } | { message: string }> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const read = parseKeySet(text);
  return 'keys' in read ? read : { message: MESSAGES[read.problem] };
}
