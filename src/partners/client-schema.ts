import { z } from 'zod';
import { distinct, httpsUrl, identifier, marketCode, rule, secret } from './fields.js';

const keysSchema = z
  .strictObject({
    jwksFile: z
      .string()
      .regex(/^(?!\/)(?!.*\.\.)[A-Za-z0-9._/-]{1,200}$/, rule('must be a path inside this folder', 'write it as keys/backoffice.jwks.json'))
      .optional()
      .describe('A file with the public keys of the client (RFC 7517), in this folder.'),
    jwksUri: httpsUrl().optional().describe('Where the client publishes its public keys.'),
    secret: secret(
      /^[A-Za-z0-9_-]{16,128}$/,
      'must be 16 to 128 characters of A-Z, a-z, 0-9, _ and -',
      'choose another secret; clients percent-encode other characters in different ways',
    )
      .optional()
      .describe('A shared secret (client_secret_basic); in the sandbox only.'),
  })
  .refine(
    (keys) => Object.values(keys).filter((value) => value !== undefined).length === 1,
    rule('must have exactly one of jwksFile, jwksUri and secret', 'keep one of them'),
  );

/** An OAuth client of the partner. */
export const clientSchema = z.strictObject({
  id: identifier().describe('The client_id; unique over all partners.'),
  scopes: distinct(
    z
      .string()
      .max(64)
      .regex(/^[a-z]+(-[a-z]+)*:[a-z]+$/, rule('must be a resource, a colon and a verb', 'write it as orders:write')),
    1,
    64,
  ).describe('What its tokens may carry, at most.'),
  markets: distinct(marketCode(), 1, 50).optional().describe('The markets that it may work in; all of the partner when left out.'),
  keys: keysSchema.optional().describe('How it proves itself. In the sandbox it may be left out: a secret is created at the first start.'),
});
