import { generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import * as oauth from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { OAuthClient } from '../../src/identity/index.js';
import { aClient, startTestEdge, type TestEdge } from '../fakes/gateway.js';

interface Pair {
  privateKey: KeyObject;
  jwk: JsonWebKey & { kid: string };
}

const pairOf = (kid: string, { publicKey, privateKey }: { publicKey: KeyObject; privateKey: KeyObject }): Pair => ({
  privateKey,
  jwk: { ...publicKey.export({ format: 'jwk' }), kid },
});
const ec = pairOf('ec', generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const rsa = pairOf('rsa', generateKeyPairSync('rsa', { modulusLength: 2048 }));
const weak = pairOf('weak', generateKeyPairSync('rsa', { modulusLength: 1024 }));
const stranger = pairOf('ec', generateKeyPairSync('ec', { namedCurve: 'P-256' }));

const clients: OAuthClient[] = [
  aClient(),
  aClient({ id: 'e-plus:signed/app', scopes: ['plans:read', 'events:manage'], markets: ['XS'], keys: [ec.jwk, rsa.jwk, weak.jwk] }),
  aClient({ id: 'prod-basic', partnerId: 'prod', environment: 'production' }),
  aClient({ id: 'prod-signed', partnerId: 'prod', environment: 'production', keys: [ec.jwk] }),
  aClient({ id: 'greedy', scopes: ['plans:read', 'traffic-lists:publish', 'nonsense:read'] }),
  aClient({ id: 'impostor', partnerId: 'platform', scopes: ['traffic-lists:publish'] }),
];
const platformClients: OAuthClient[] = [
  aClient({ id: 'lists', partnerId: 'platform', scopes: ['traffic-lists:publish', 'plans:read'], keys: [ec.jwk] }),
];
const signedId = 'e-plus:signed/app';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge({ clients, platformClients });
});
afterAll(() => edge.close());

let jti = 0;
const seconds = () => Math.floor(Date.now() / 1_000);
const assertionOf = (
  claims: Record<string, unknown> = {},
  { pair = ec, algorithm = 'ES256' as jwt.Algorithm, kid = pair.jwk.kid as string | null } = {},
) => {
  const now = seconds();
  const all = { iss: signedId, sub: signedId, aud: `${edge.url}/oauth2/token`, iat: now, exp: now + 60, jti: `jti-${++jti}`, ...claims };
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return jwt.sign(payload, pair.privateKey, { algorithm, ...(kid === null ? {} : { keyid: kid }), allowInsecureKeySizes: true });
};

const form = (fields: Record<string, string> | string, headers: Record<string, string> = {}) =>
  edge.api.call('POST', '/oauth2/token', {
    rawBody: typeof fields === 'string' ? fields : new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
const signed = (assertion: string, more: Record<string, string> = {}) =>
  form({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    ...more,
  });
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});

describe('a stock OAuth client, given only the issuer', () => {
  const options = { execute: [oauth.allowInsecureRequests], algorithm: 'oauth2' as const };

  test('gets a token with private_key_jwt, and the token opens the API', async () => {
    const der = ec.privateKey.export({ format: 'der', type: 'pkcs8' });
    const key = await crypto.subtle.importKey('pkcs8', new Uint8Array(der), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    const config = await oauth.discovery(new URL(edge.url), signedId, undefined, oauth.PrivateKeyJwt({ key, kid: 'ec' }), options);
    const tokens = await oauth.clientCredentialsGrant(config);
    expect(tokens.expires_in).toBe(900);
    expect(tokens.scope?.split(' ').sort()).toEqual(['events:read', 'events:write', 'plans:read']);
    expect(await edge.identity.callerOf(tokens.access_token)).toMatchObject({ partnerId: 'e-plus', clientId: signedId, markets: ['XS'] });
  });

  test('gets a token with client_secret_basic in the sandbox', async () => {
    const config = await oauth.discovery(
      new URL(edge.url),
      'e-plus-backoffice',
      undefined,
      oauth.ClientSecretBasic('sandbox-secret'),
      options,
    );
    const tokens = await oauth.clientCredentialsGrant(config, { scope: 'plans:read' });
    expect(tokens.scope).toBe('plans:read');
  });
});

describe('the access token', () => {
  test('is an ES256 at+jwt with the claims of the contract, verifiable with the published keys', async () => {
    const token = (await signed(assertionOf())).body.access_token;
    const { header, payload } = jwt.decode(token, { complete: true }) as jwt.Jwt & { payload: jwt.JwtPayload };
    expect(header).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(payload).toMatchObject({
      iss: edge.url,
      aud: edge.url,
      sub: signedId,
      client_id: signedId,
      partner_id: 'e-plus',
      env: 'sandbox',
      markets: ['XS'],
    });
    expect(payload.jti).toMatch(/^tok_/);
    expect(Number(payload.exp) - Number(payload.iat)).toBe(900);
    const { keys } = (await edge.api.get('/.well-known/jwks.json')).body;
    expect(keys.map((key: { kid: string }) => key.kid)).toContain(header.kid);
    expect(JSON.stringify(keys)).not.toContain('"d"');
  });

  test('is not to be stored', async () => {
    const answer = await signed(assertionOf());
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('pragma')).toBe('no-cache');
  });
});

describe('assertions', () => {
  test.each([
    ['ES256', ec],
    ['RS256', rsa],
    ['PS256', rsa],
  ] as const)('%s is taken, with and without a kid', async (algorithm, pair) => {
    expect((await signed(assertionOf({}, { pair, algorithm }))).status).toBe(200);
    expect((await signed(assertionOf({}, { pair, algorithm, kid: null }))).status).toBe(200);
  });

  test('aud may be the issuer or the token endpoint, alone or in a list', async () => {
    for (const aud of [edge.url, `${edge.url}/oauth2/token`, ['https://elsewhere.example', edge.url]]) {
      expect((await signed(assertionOf({ aud }))).status).toBe(200);
    }
  });

  test.each([
    ['another audience', () => ({ aud: 'https://elsewhere.example' })],
    ['an expired one', () => ({ iat: seconds() - 120, exp: seconds() - 60 })],
    ['one that lives longer than 300 s', () => ({ exp: seconds() + 301 })],
    ['one from the future', () => ({ iat: seconds() + 60, exp: seconds() + 90 })],
    ['one without jti', () => ({ jti: undefined })],
    ['one without exp', () => ({ exp: undefined })],
    ['an issuer that is not the client', () => ({ iss: 'other' })],
    ['a subject that is not known', () => ({ iss: 'nobody', sub: 'nobody' })],
  ])('%s is 401 invalid_client', async (_name, claims) => {
    const answer = await signed(assertionOf(claims()));
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client']);
    expect(answer.headers.get('www-authenticate')).toContain('Basic');
  });

  test('a key that is not registered, a weak key, no signature, and a public key as an HMAC secret are refused', async () => {
    const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'pem', type: 'spki' });
    const claims = { iss: signedId, sub: signedId, aud: edge.url, iat: seconds(), exp: seconds() + 60, jti: 'x' };
    const attempts = [
      assertionOf({}, { pair: stranger }),
      assertionOf({}, { pair: weak, algorithm: 'RS256' }),
      jwt.sign(claims, null as unknown as string, { algorithm: 'none' }),
      jwt.sign(claims, String(pem), { algorithm: 'HS256' }),
      'not.a.jwt',
      'x',
    ];
    for (const attempt of attempts) expect((await signed(attempt)).body.error).toBe('invalid_client');
  });

  test('is used once, also when the same one comes twice at the same instant', async () => {
    const assertion = assertionOf();
    const answers = await Promise.all([signed(assertion), signed(assertion), signed(assertion)]);
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 401, 401]);
    expect((await signed(assertion)).body.error_description).toContain('used before');
  });

  test('client_id must be the subject', async () => {
    expect((await signed(assertionOf(), { client_id: signedId })).status).toBe(200);
    expect((await signed(assertionOf(), { client_id: 'other' })).status).toBe(401);
  });
});

describe('secrets', () => {
  test('a wrong one, an unknown client and a production client are told the same', async () => {
    const answers = await Promise.all([
      form({ grant_type: 'client_credentials' }, basic('e-plus-backoffice', 'wrong')),
      form({ grant_type: 'client_credentials' }, basic('nobody', 'sandbox-secret')),
      form({ grant_type: 'client_credentials' }, basic('prod-basic', 'sandbox-secret')),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401]);
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
  });

  test('id and secret are percent-decoded (RFC 6749 §2.3.1)', async () => {
    const authorization = `Basic ${Buffer.from('e%2Dplus%2Dbackoffice:sandbox%2Dsecret').toString('base64')}`;
    expect((await form({ grant_type: 'client_credentials' }, { authorization })).status).toBe(200);
    expect(
      (await form({ grant_type: 'client_credentials' }, { authorization: `Basic ${Buffer.from('%zz:x').toString('base64')}` })).status,
    ).toBe(401);
    expect((await form({ grant_type: 'client_credentials' }, { authorization: 'Basic !' })).status).toBe(401);
  });

  test('a client that the sandbox makes: its secret works, also after it was given another; only the hash is kept', async () => {
    const request = { clientId: 'made', partnerId: 'e-plus', scopes: ['plans:read'], secret: 'a'.repeat(43) };
    await edge.identity.ensureSandboxClient(request);
    expect(await edge.api.token('made', request.secret)).toBeTruthy();
    const other = 'b'.repeat(43);
    await edge.identity.ensureSandboxClient({ ...request, secret: other });
    expect(await edge.api.token('made', other)).toBeTruthy();
    await expect(edge.api.token('made', request.secret)).rejects.toThrow();
    expect(JSON.stringify(await edge.store.control.read.sandboxClient.findMany())).not.toContain(other);
    await expect(edge.identity.ensureSandboxClient({ ...request, partnerId: 'prod' })).rejects.toThrow(/sandbox/);
    await expect(edge.identity.ensureSandboxClient({ ...request, partnerId: 'platform' })).rejects.toThrow(/platform/);
  });
});

describe('errors are in the form of RFC 6749 §5.2', () => {
  const good = () => basic('e-plus-backoffice', 'sandbox-secret');
  test.each([
    ['no grant_type', 'scope=plans%3Aread', 400, 'invalid_request'],
    ['an empty body', '', 400, 'invalid_request'],
    ['an empty grant_type', 'grant_type=', 400, 'invalid_request'],
    ['another grant', 'grant_type=password', 400, 'unsupported_grant_type'],
    ['a parameter twice', 'grant_type=client_credentials&scope=a&scope=b', 400, 'invalid_request'],
    ['an unknown scope', 'grant_type=client_credentials&scope=plans%3Adelete', 400, 'invalid_scope'],
    ['a scope with quotes', 'grant_type=client_credentials&scope=%22%5C', 400, 'invalid_scope'],
    ['a malformed correlator header', 'grant_type=client_credentials', 400, 'invalid_request'],
  ])('%s', async (name, body, status, error) => {
    const answer = await form(body, { ...good(), ...(name.includes('correlator') ? { 'x-correlator': 'a b' } : {}) });
    expect([answer.status, answer.body.error]).toEqual([status, error]);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('the wrong content type, a body too large, another method, two proofs, no proof', async () => {
    const asJson = await edge.api.call('POST', '/oauth2/token', { body: { grant_type: 'client_credentials' } });
    expect([asJson.status, asJson.body.error]).toEqual([415, 'invalid_request']);
    const large = await form(`grant_type=${'x'.repeat(70_000)}`);
    expect([large.status, large.body.error]).toEqual([413, 'invalid_request']);
    const both = await form({ grant_type: 'client_credentials', client_assertion: 'x' }, good());
    expect([both.status, both.body.error]).toEqual([400, 'invalid_request']);
    const none = await form({ grant_type: 'client_credentials' });
    expect([none.status, none.body.error]).toEqual([401, 'invalid_client']);
    const wrong = await fetch(`${edge.url}/oauth2/token`);
    expect([wrong.status, wrong.headers.get('allow'), await wrong.json()]).toMatchObject([405, 'POST', { error: 'invalid_request' }]);
  });

  test('more requests than a partner may make: 429 temporarily_unavailable, and not counted for strangers', async () => {
    const narrow = await startTestEdge({ rateLimits: { readPerSecond: 1, writePerSecond: 1, tokenPerMinute: 2 } });
    try {
      const ask = (secret: string) =>
        narrow.api.call('POST', '/oauth2/token', {
          rawBody: 'grant_type=client_credentials',
          headers: { 'content-type': 'application/x-www-form-urlencoded', ...basic('e-plus-backoffice', secret) },
        });
      expect((await ask('wrong')).status).toBe(401);
      expect([(await ask('sandbox-secret')).status, (await ask('sandbox-secret')).status]).toEqual([200, 200]);
      const refused = await ask('sandbox-secret');
      expect([refused.status, refused.body.error]).toEqual([429, 'temporarily_unavailable']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await narrow.close();
    }
  });
});

describe('who may have what', () => {
  test('events:manage stands for reading and writing events', async () => {
    expect((await signed(assertionOf(), { scope: 'events:manage' })).body.scope).toBe('events:read events:write');
    expect((await signed(assertionOf(), { scope: 'events:write' })).body.scope).toBe('events:write');
  });

  test("only the platform's own clients can have its scopes", async () => {
    expect(await edge.identity.callerOf(await edge.token('lists'))).toMatchObject({ partnerId: 'platform' });
    expect((await edge.identity.callerOf(await edge.token('lists'))).scopes).toContain('traffic-lists:publish');
    const greedy = await form({ grant_type: 'client_credentials' }, basic('greedy', 'sandbox-secret'));
    expect(greedy.body.scope).toBe('plans:read');
    const asked = await form({ grant_type: 'client_credentials', scope: 'traffic-lists:publish' }, basic('greedy', 'sandbox-secret'));
    expect(asked.body.error).toBe('invalid_scope');
    const impostor = await form({ grant_type: 'client_credentials' }, basic('impostor', 'sandbox-secret'));
    expect(impostor.body.error).toBe('invalid_client');
  });

  test('a production client gets no token of the sandbox', async () => {
    const assertion = assertionOf({ iss: 'prod-signed', sub: 'prod-signed' });
    expect((await signed(assertion)).body.error).toBe('unauthorized_client');
  });
});

test('no token, secret or assertion is in the log', async () => {
  const assertion = assertionOf();
  const { access_token: token } = (await signed(assertion)).body;
  const log = edge.logged().join('');
  for (const secret of [assertion, token, 'sandbox-secret', 'jti-1']) expect(log).not.toContain(secret);
});
