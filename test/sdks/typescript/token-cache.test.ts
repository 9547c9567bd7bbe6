import { expect, test } from 'vitest';
import { createTokenCache, TokenRequestError } from '../../../sdks/typescript/index.js';

function aTokenEndpoint(answers: { status: number; body: unknown }[]) {
  const requests: Request[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    requests.push(new Request(input, init));
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    return Response.json(answer?.body, { status: answer?.status ?? 500 });
  };
  return { requests, fetch };
}

const aToken = (token: string) => ({
  status: 200,
  body: { access_token: token, token_type: 'Bearer', expires_in: 900, scope: 'plans:read' },
});
const client = { serverUrl: 'http://127.0.0.1:1', clientId: 'a b', clientSecret: 's3cret' };

test('callers at the same time share one request, and the token is kept until shortly before it expires', async () => {
  const { requests, fetch } = aTokenEndpoint([aToken('one'), aToken('two')]);
  let now = 0;
  const token = createTokenCache({ ...client, fetch, now: () => now });
  expect(await Promise.all([token(), token(), token()])).toEqual(['one', 'one', 'one']);
  now = 869_000;
  expect(await token()).toBe('one');
  now = 871_000;
  expect(await token()).toBe('two');
  expect(requests).toHaveLength(2);
});

test('the id is percent-encoded into Basic (RFC 6749 section 2.3.1)', async () => {
  const { requests, fetch } = aTokenEndpoint([aToken('one')]);
  await createTokenCache({ ...client, fetch })();
  expect(requests[0]?.headers.get('authorization')).toBe(`Basic ${btoa('a%20b:s3cret')}`);
});

test('a refusal says why, and the next caller tries again', async () => {
  const refused = { status: 401, body: { error: 'invalid_client', error_description: 'unknown' } };
  const { fetch } = aTokenEndpoint([refused, aToken('one')]);
  const token = createTokenCache({ ...client, fetch });
  await expect(token()).rejects.toThrow(new TokenRequestError(401, 'invalid_client', 'unknown'));
  expect(await token()).toBe('one');
});

test('an assertion is made for the token endpoint and sent instead of a secret', async () => {
  const { requests, fetch } = aTokenEndpoint([aToken('one')]);
  await createTokenCache({ serverUrl: client.serverUrl, clientId: 'a', assertion: (audience) => `signed for ${audience}`, fetch })();
  const form = new URLSearchParams(await requests[0]?.text());
  expect(form.get('client_assertion')).toBe('signed for http://127.0.0.1:1/oauth2/token');
  expect(requests[0]?.headers.get('authorization')).toBeNull();
});
