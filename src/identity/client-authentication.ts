import type { Clock } from '../kernel/clock.js';
import type { Store } from '../store/index.js';
import { ASSERTION_TYPE, kidOf, subjectOf, verifyAssertion } from './client-assertion.js';
import { type Clients, type OAuthClient, secretMatches } from './clients.js';
import type { RemoteKeys } from './remote-keys.js';
import { TokenError } from './token-error.js';

/** What a token request shows of its client. */
export interface ClientProof {
  form: ReadonlyMap<string, string>;
  /** The Authorization header. */
  authorization: string | undefined;
}

export interface AuthenticationOptions {
  clients: Clients;
  store: Store['control'];
  clock: Clock;
  audiences: () => [string, ...string[]];
  remoteKeys: RemoteKeys;
}

/** Every way in which a client can fail to be known says the same, so that nobody learns which ids exist. */
const unknown = (): TokenError => new TokenError('invalid_client', 'The client is not known, or its proof is wrong.');

/**
 * Proves the client of a token request: private_key_jwt (RFC 7523 §2.2), or in the sandbox client_secret_basic
 * (RFC 6749 §2.3.1).
 *
 * @throws TokenError `invalid_client`, or `invalid_request` when it proves itself in more than one way.
 */
export async function authenticateClient(proof: ClientProof, options: AuthenticationOptions): Promise<OAuthClient> {
  const { form, authorization } = proof;
  const assertion = form.get('client_assertion');
  if (authorization !== undefined && (assertion !== undefined || form.has('client_secret'))) {
    throw new TokenError('invalid_request', 'The client must prove itself in one way only.');
  }
  if (authorization !== undefined) return await bySecret(authorization, form.get('client_id'), options.clients);
  if (assertion !== undefined) return await byAssertion(assertion, form, options);
  if (form.has('client_secret')) {
    throw new TokenError('invalid_client', 'A secret in the form is not taken: use private_key_jwt, or in the sandbox HTTP Basic.');
  }
  throw new TokenError('invalid_client', 'The client must prove itself with private_key_jwt, or in the sandbox with client_secret_basic.');
}

async function byAssertion(assertion: string, form: ReadonlyMap<string, string>, options: AuthenticationOptions): Promise<OAuthClient> {
  if (form.get('client_assertion_type') !== ASSERTION_TYPE) {
    throw new TokenError('invalid_client', `client_assertion_type must be ${ASSERTION_TYPE}.`);
  }
  const subject = subjectOf(assertion);
  if (subject === undefined) throw new TokenError('invalid_client', 'The assertion is not a JWT with a sub.');
  const clientId = form.get('client_id');
  if (clientId !== undefined && clientId !== subject) throw new TokenError('invalid_client', "client_id is not the assertion's subject.");
  const client = await options.clients.find(subject);
  if (!client) throw unknown();
  const keys = client.keysUri === undefined ? (client.keys ?? []) : await options.remoteKeys.of(client.keysUri, kidOf(assertion));
  if (keys.length === 0) throw unknown();
  await verifyAssertion({ assertion, client, keys, audiences: options.audiences() }, options);
  return client;
}

async function bySecret(authorization: string, formClientId: string | undefined, clients: Clients): Promise<OAuthClient> {
  const credentials = parseBasic(authorization);
  if (!credentials) throw new TokenError('invalid_client', 'The Authorization header holds no Basic credentials.');
  if (formClientId !== undefined && formClientId !== credentials.clientId) throw unknown();
  const client = await clients.find(credentials.clientId);
  if (client?.environment !== 'sandbox' || client.secretHash === undefined) throw unknown();
  if (!secretMatches(credentials.secret, client.secretHash)) throw unknown();
  return client;
}

/** RFC 6749 §2.3.1: id and secret are form-encoded each before they are joined and base64-encoded. */
function parseBasic(header: string): { clientId: string; secret: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  try {
    const [clientId = '', secret = ''] = [text.slice(0, colon), text.slice(colon + 1)].map((part) =>
      decodeURIComponent(part.replaceAll('+', ' ')),
    );
    return { clientId, secret };
  } catch {
    return undefined;
  }
}
