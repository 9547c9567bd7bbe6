import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshIccid, freshImsi, freshMsisdn } from '../../tools/demo/numbers.js';
import { playStory } from '../../tools/demo/story.js';
import { startWebhookReceiver } from '../../tools/demo/webhook-receiver.js';
import { type GatewayProcess, startGateway } from '../../tools/gateway/gateway-process.js';
import { createLeakSearch, secretsIn } from '../../tools/gateway/scan.js';
import { createTestHome, type TestHome } from '../fakes/home.js';

const TEST_MS_MAX = 60_000;
const PASSWORDS = { EPLUS_SMPP_PASSWORD: 'Zq81xW7k', EPLUS_ESME_PASSWORD: 'h2Vr90Lm' };
const A_JWT = 'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJlLXRoYXQtaXMtbm9uZQ';

/** What is wrong with the texts, each of which has a name. */
function findings(texts: readonly [where: string, text: string][], secrets: ReadonlyMap<string, string>): string[] {
  const search = createLeakSearch(secrets);
  return texts.flatMap(([where, text]) => search(text).map((kind) => `${where} holds ${kind}`));
}

let home: TestHome;
let gateway: GatewayProcess;
let metrics: string;
/** Every error answer, with its headers, by the request that got it. */
const errors: { request: string; answer: string }[] = [];
/** Everything that must stay out, and what it is. */
const secrets = new Map<string, string>();

/** Every request of this process goes through here: secrets that were issued are noted, error answers kept. */
async function listeningFetch(...given: Parameters<typeof fetch>): Promise<Response> {
  const response = await realFetch(...given);
  const text = await response.clone().text();
  try {
    for (const [secret, member] of secretsIn(JSON.parse(text))) secrets.set(secret, `the value of ${member}`);
  } catch {
    // A page or an export holds no secret of its own.
  }
  const authorization = new Headers(given[1]?.headers).get('authorization');
  const credentials = authorization?.replace(/^\S+ /, '');
  if (credentials !== undefined && !secrets.has(credentials)) secrets.set(credentials, 'an authorization header');
  const request = `${given[1]?.method ?? 'GET'} ${response.url}`;
  if (response.status >= 400) errors.push({ request, answer: `${text}\n${JSON.stringify([...response.headers])}` });
  return response;
}
const realFetch = globalThis.fetch;

const mine = {
  msisdn: freshMsisdn(),
  foreign: '+4915112345678',
  imsi: freshImsi(),
  iccid: freshIccid(),
  text: 'Nobody but us knows about the treehouse',
};

/** Calls that must fail, each with something in it that must not come back or be logged. */
async function provokeErrors(): Promise<void> {
  const { clientId, clientSecret } = home.credentials();
  const basic = (secret: string) => ({ authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` });
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const call = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    fetch(home.url + path, { method, headers, ...(body !== undefined && { body }) });

  await call('POST', '/oauth2/token', { ...form, ...basic('a-wrong-client-secret-0123456789') }, 'grant_type=client_credentials');
  await call(
    'POST',
    '/oauth2/token',
    form,
    `grant_type=client_credentials&client_id=${clientId}&client_secret=a-wrong-form-secret-0123456789`,
  );
  await call('POST', '/oauth2/token', form, `grant_type=client_credentials&client_assertion_type=x&client_assertion=${A_JWT}`);
  const granted = await call(
    'POST',
    '/oauth2/token',
    { ...form, ...basic(clientSecret) },
    'grant_type=client_credentials&scope=plans:read',
  );
  const { access_token: narrow } = (await granted.json()) as { access_token: string };
  const full = await call('POST', '/oauth2/token', { ...form, ...basic(clientSecret) }, 'grant_type=client_credentials');
  const { access_token: token } = (await full.json()) as { access_token: string };

  let count = 0;
  const as = (bearer: string) => ({
    authorization: `Bearer ${bearer}`,
    'content-type': 'application/json',
    'idempotency-key': `log-scan-${count++}`,
  });
  const order = (item: object) =>
    JSON.stringify({ market: 'XS', externalId: 'x', items: [{ action: 'add', planId: 'plan_01m7w2y8k8dc0x08pfmegcrm7e', ...item }] });
  await call('GET', '/v1/plans', { authorization: `Bearer ${A_JWT}` });
  await call('GET', '/v1/orders', { authorization: `Bearer ${narrow}` });
  await call('GET', `/v1/plans?access_token=${token}`, {});
  await call('GET', `/v1/subscriptions/${encodeURIComponent(mine.msisdn)}`, as(token));
  await call('GET', `/v1/sims?iccid=${mine.iccid}`, as(token));
  await call('GET', `/${mine.msisdn}/${mine.imsi}`, as(token));
  await call('POST', '/v1/orders', as(token), order({ iccid: mine.iccid, msisdn: mine.foreign }));
  await call('POST', '/v1/orders', as(token), order({ iccid: mine.iccid, msisdn: `${mine.msisdn}99999` }));
  await call('POST', '/v1/orders', as(token), order({ iccid: mine.iccid, msisdn: mine.msisdn, [mine.imsi]: mine.imsi }));
  await call('POST', '/v1/sim-batches', as(token), JSON.stringify({ market: 'XS', sims: [{ iccid: `${mine.iccid}1`, imsi: mine.imsi }] }));
  await call('POST', '/v1/orders', as(token), `{"market":"XS","msisdn":"${mine.msisdn}","text":"${mine.text}" oops`);
  await call('POST', '/v1/orders', { ...as(token), 'content-type': 'text/plain' }, mine.text);
  await call('POST', '/v1/entitlements/decision', as(token), JSON.stringify({ msisdn: mine.foreign, trafficClass: 'messaging-text' }));
  const inbound = { from: mine.msisdn, to: '+4915112345678', text: mine.text };
  await call('POST', '/v1/sandbox/inbound-sms', as(token), JSON.stringify(inbound));
  await call('POST', '/v1/sandbox/inbound-sms', as(token), JSON.stringify({ ...inbound, from: mine.foreign }));
  const registration = {
    msisdn: mine.msisdn,
    verificationToken: 'a-token-that-nobody-ever-issued',
    deviceName: 'x',
    platform: 'bot',
    language: 'de',
  };
  await call('POST', '/messaging/v1/accounts', { 'content-type': 'application/json' }, JSON.stringify(registration));
  await call(
    'POST',
    '/messaging/v1/token',
    { 'content-type': 'application/json' },
    '{"deviceId":"dev_01m7w2y8k8dc0x08pfmegcrm7e","deviceSecret":"a-device-secret-of-nobody"}',
  );
  await call(
    'POST',
    '/messaging/v1/messages',
    { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    JSON.stringify({ text: mine.text }),
  );
}

beforeAll(async () => {
  home = await createTestHome();
  gateway = await startGateway(home, { env: { CAUSEWAY_LOG_LEVEL: 'trace', ...PASSWORDS } });
  globalThis.fetch = listeningFetch;
  const receiver = await startWebhookReceiver();
  try {
    const { chatTexts, smsText, msisdns } = await playStory({ url: home.url, ...home.credentials(), receiver, onStep() {} });
    await provokeErrors();
    metrics = await (await realFetch(`${home.operationsUrl}/metrics`)).text();
    for (const text of [...chatTexts, smsText, mine.text]) secrets.set(text, 'the text of a message');
    for (const msisdn of [...msisdns, mine.msisdn, mine.foreign]) secrets.set(msisdn.slice(1), 'an MSISDN of the run');
    for (const password of Object.values(PASSWORDS)) secrets.set(password, 'an SMPP password');
    secrets
      .set(mine.imsi, 'an IMSI of the run')
      .set(mine.iccid, 'an ICCID of the run')
      .set(home.credentials().clientSecret, 'the client secret');
    for (const wrong of ['a-wrong-client-secret-0123456789', 'a-wrong-form-secret-0123456789', 'a-token-that-nobody-ever-issued']) {
      secrets.set(wrong, 'a secret that was wrong');
    }
    secrets.set('a-device-secret-of-nobody', 'a secret that was wrong').set(A_JWT, 'a token that was wrong');
    secrets.set(readFileSync(join(home.keysDir, 'master.key'), 'utf8').trim(), 'the master key');
  } finally {
    globalThis.fetch = realFetch;
    await receiver.close();
    await gateway.stop();
  }
}, TEST_MS_MAX);
afterAll(() => home.remove());

describe('what leaves the gateway sideways', () => {
  test('the run was a whole one: secrets were issued, errors answered, and the log and the metrics speak of it', () => {
    const kinds = new Set(secrets.values());
    for (const kind of ['the value of access_token', 'the value of accessToken', 'the value of secret', 'the value of token']) {
      expect(kinds).toContain(kind);
    }
    expect(errors.length).toBeGreaterThanOrEqual(18);
    expect(errors.filter(({ answer }) => answer.includes('INTERNAL'))).toEqual([]);
    expect(gateway.output()).toContain('submit_sm accepted');
    expect(metrics).toContain('# TYPE');
  });

  test('no line of the log at level trace holds a number, a token, a key, a password or a text', () => {
    expect(
      findings(
        gateway
          .output()
          .split('\n')
          .map((line) => [logged(line), line]),
        secrets,
      ),
    ).toEqual([]);
  });

  test('no metric does', () => {
    expect(findings([['/metrics', metrics]], secrets)).toEqual([]);
  });

  test('no error answer does, in its body or its headers', () => {
    expect(
      findings(
        errors.map(({ request, answer }) => [request, answer]),
        secrets,
      ),
    ).toEqual([]);
  });
});

/** A log line by its constant message, for the failure's report. */
function logged(line: string): string {
  try {
    return `"${(JSON.parse(line) as { msg: string }).msg}"`;
  } catch {
    return 'a line that is not JSON';
  }
}

describe('the search finds what is planted', () => {
  const planted: [string, string][] = [
    ['an MSISDN', '{"msg":"sms queued","peer":"+9995712345678"}'],
    ['an MSISDN without its plus', 'GET /v1/lines/9998712345678'],
    ['an ICCID', '{"iccid":"8999957012345678903"}'],
    ['an IMSI', '{"imsi":"001010123456789"}'],
    ['a token', `authorization: ${A_JWT}`],
    ['a webhook secret', '{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}'],
    ['a private key as PEM', '-----BEGIN PRIVATE KEY-----'],
    ['a private key as JWK', '{"kty":"EC","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}'],
    ['a header of a client', 'Authorization: Basic ZS1wbHVzOnNlY3JldC1zZWNyZXQ='],
  ];
  test.each(planted)('%s', (_, line) => {
    expect(findings([['planted', line]], new Map())).not.toEqual([]);
  });

  test('a known secret, as it is and in base64', () => {
    const known = new Map([['Zq81xW7k-and-more', 'a password']]);
    expect(findings([['planted', 'bind with Zq81xW7k-and-more']], known)).toEqual(['planted holds a password']);
    expect(findings([['planted', Buffer.from('user:Zq81xW7k-and-more').toString('base64')]], known)).toEqual(['planted holds a password']);
  });

  test('but not what only looks alike: masked numbers, instants and fractions', () => {
    const harmless = '{"recipient":"+999••••••••23","time":1763841600000,"lag":0.0099957123456781,"id":"evt_01m7w2yahr66jf14scjfh7h4a2"}';
    expect(findings([['planted', harmless]], new Map())).toEqual([]);
  });
});
