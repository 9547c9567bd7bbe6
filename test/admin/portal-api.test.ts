import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createPasswords } from '../../src/admin/passwords.js';
import { ensureUser, type NewUser } from '../../src/admin/users.js';
import { systemClock } from '../../src/kernel/clock.js';
import type { Store } from '../../src/store/index.js';
import type { ApiClient, Json } from '../fakes/api-client.js';
import { startTestGateway, type TestGateway } from '../fakes/gateway.js';
import { confirmLine, type MadeLine, pendingLine } from './lines.js';
import { createPortalClient, type PortalClient, portalCredentials } from './portal-client.js';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 60_000 });

let gateway: TestGateway;
let store: Store;
let api: ApiClient;
let line: MadeLine;
/** Signed in as the sandbox's own person. */
let portal: PortalClient;
let credentials: ReturnType<typeof portalCredentials>;

beforeAll(async () => {
  gateway = await startTestGateway({ wrapStore: (opened) => (store = opened) });
  api = await gateway.as();
  line = await pendingLine(api);
  credentials = portalCredentials(gateway.dataDir);
});
afterAll(async () => gateway?.close());
beforeEach(async () => {
  portal = createPortalClient(gateway.url);
  expect((await portal.signIn(credentials.email, credentials.password)).status).toBe(201);
});

/** A page with somebody signed in whom the sandbox does not have. */
async function signedIn(user: Omit<NewUser, 'password'>): Promise<PortalClient> {
  const password = 'correct horse battery staple';
  await ensureUser({ control: store.control, clock: systemClock, passwords: createPasswords() }, { ...user, password });
  const client = createPortalClient(gateway.url);
  expect((await client.signIn(user.email, password)).status).toBe(201);
  return client;
}

test('the credentials file says where the portal is and who signs in', () => {
  expect(credentials.url).toBe(`${gateway.url}/portal`);
  expect(credentials.password).toMatch(/^[A-Za-z0-9_-]{20}$/);
});

test('signing in gives a cookie that scripts cannot read, and signing out ends the session on the server', async () => {
  const client = createPortalClient(gateway.url);
  expect((await client.call('GET', '/me')).status).toBe(401);
  const { headers } = await client.signIn(credentials.email.toUpperCase(), credentials.password);
  const [cookie = ''] = headers.getSetCookie();
  expect(cookie).toMatch(/^causeway-\d+=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
  const me = await client.call('GET', '/me');
  expect(me).toMatchObject({ status: 200, body: { email: credentials.email, role: 'platform', environment: 'sandbox' } });
  expect(me.headers.get('cache-control')).toBe('no-store');
  const kept = client.cookie;
  expect((await client.call('DELETE', '/session')).status).toBe(204);
  expect(client.cookie).toBeUndefined();
  client.cookie = kept;
  expect((await client.call('GET', '/me')).status).toBe(401);
});

test('the cookie is nowhere in the database, and neither is the password', async () => {
  const rows = JSON.stringify([await store.control.read.portalSession.findMany(), await store.control.read.portalUser.findMany()]);
  expect(rows).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
  expect(rows).not.toContain(portal.cookie?.split('=')[1]);
  expect(rows).not.toContain(credentials.password);
});

test('a wrong password and an unknown e-mail get the same answer', async () => {
  const client = createPortalClient(gateway.url);
  const answers = [await client.signIn(credentials.email, 'wrong'), await client.signIn('nobody@example.com', 'wrong')];
  const [known, unknown] = answers.map(({ status, body }) => ({ status, body: { ...body, correlator: '' } }));
  expect(known).toEqual(unknown);
  expect(known).toMatchObject({ status: 401, body: { code: 'UNAUTHENTICATED' } });
});

test('an account is closed to guesses after ten of them, whoever it is of, also when they come at the same instant', async () => {
  await signedIn({ email: 'guessed@example.com', role: 'care', partnerId: 'e-plus' });
  for (const email of ['guessed@example.com', 'absent@example.com']) {
    const client = createPortalClient(gateway.url);
    const tries = await Promise.all(Array.from({ length: 12 }, () => client.signIn(email, 'guess')));
    expect(tries.map(({ status }) => status).sort(), email).toEqual([...Array(10).fill(401), 429, 429]);
    const next = await client.signIn(email, 'correct horse battery staple');
    expect(next.status).toBe(429);
    expect(Number(next.headers.get('retry-after'))).toBeGreaterThan(0);
  }
});

test('a write that did not come from a page of the portal is refused before anything is looked at', async () => {
  const foreign: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: '' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ];
  for (const headers of foreign) {
    for (const [method, path] of [
      ['POST', '/session'],
      ['DELETE', '/session'],
      ['POST', '/search'],
      ['POST', `/subscriptions/${line.subscriptionId}/reveal`],
    ] as const) {
      const { status, body } = await portal.call(method, path, method === 'POST' ? { query: 'x' } : undefined, headers);
      expect({ status, code: body.code }, `${method} ${path} ${JSON.stringify(headers)}`).toEqual({
        status: 403,
        code: 'PORTAL.CROSS_SITE',
      });
    }
  }
  expect((await portal.call('GET', '/me')).status).toBe(200);
});

test('a line is found by each of its ids and numbers, however they are written', async () => {
  const { msisdn, iccid, imsi, simId, orderId, taskId, subscriptionId } = line;
  const { body: events } = await api.get('/v1/events?limit=200');
  const eventId = events.items.find((event: Json) => event.subject === orderId && event.type.endsWith('in-progress')).id;
  const spaced = `00${msisdn.slice(1, 4)} (${msisdn.slice(4, 7)}) ${msisdn.slice(7, 10)}-${msisdn.slice(10)}`;
  const queries = [
    ...[subscriptionId, orderId, taskId, simId, ` ${subscriptionId.toUpperCase().replace('SUB', 'sub')} `],
    ...[msisdn, msisdn.slice(1), spaced, `tel:${msisdn}`, iccid, `${iccid.slice(0, 4)} ${iccid.slice(4)}`, imsi],
  ];
  for (const query of queries) {
    const { status, body } = await portal.call('POST', '/search', { query });
    expect(status, query).toBe(200);
    expect(
      body.items.map(({ id }: Json) => id),
      query,
    ).toEqual([subscriptionId]);
    expect(JSON.stringify(body)).not.toContain(msisdn);
  }
  const byEvent = await portal.call('POST', '/search', { query: eventId });
  expect(byEvent.body.kind).toBe('id');
  for (const query of ['hello', '42', 'ord_00000000000000000000000000', '+999570000'])
    expect((await portal.call('POST', '/search', { query })).body.items, query).toEqual([]);
});

test('a person of one partner sees nothing of another one, by any way', async () => {
  const stranger = await signedIn({ email: 'care@cw.example', role: 'care', partnerId: 'cable-and-wireless' });
  const elsewhere = await signedIn({ email: 'berlin@eplus.example', role: 'care', partnerId: 'e-plus', markets: ['DE'] });
  for (const client of [stranger, elsewhere]) {
    for (const query of [line.subscriptionId, line.orderId, line.taskId, line.simId, line.msisdn, line.iccid, line.imsi])
      expect((await client.call('POST', '/search', { query })).body.items).toEqual([]);
    const own = `/subscriptions/${line.subscriptionId}`;
    for (const path of [own, `${own}/timeline`, `${own}/live`]) expect((await client.call('GET', path)).status, path).toBe(404);
    expect((await client.call('POST', `${own}/reveal`)).status).toBe(404);
    expect((await client.call('GET', '/subscriptions')).body.items).toEqual([]);
  }
  const hers = await signedIn({ email: 'care@eplus.example', role: 'care', partnerId: 'e-plus', markets: ['XS'] });
  expect((await hers.call('GET', `/subscriptions/${line.subscriptionId}`)).status).toBe(200);
});

test('numbers are masked everywhere; revealing them is answered only with its audit record written, and ends', async () => {
  const own = `/subscriptions/${line.subscriptionId}`;
  for (const path of [own, `${own}/timeline`, '/subscriptions']) {
    const { status, body } = await portal.call('GET', path);
    expect(status).toBe(200);
    for (const number of [line.msisdn.slice(1), line.iccid, line.imsi]) expect(JSON.stringify(body), path).not.toContain(number);
  }
  const card = (await portal.call('GET', own)).body;
  expect(card).toMatchObject({ status: 'pending', partnerName: 'E-Plus', timeZone: 'Europe/Berlin', plan: { name: expect.any(String) } });
  expect(card.msisdn).toMatch(/^\+999•+\d\d$/);

  const { status, body } = await portal.call('POST', `${own}/reveal`, undefined, { 'x-correlator': 'who-looked' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ msisdn: line.msisdn, iccid: line.iccid, imsi: line.imsi });
  expect(Date.parse(body.expiresAt) - Date.now()).toBeLessThanOrEqual(60_000);
  const [record, ...more] = await store.control.read.auditRecord.findMany({ where: { correlator: 'who-looked' } });
  expect(more).toEqual([]);
  expect(record).toMatchObject({ action: 'subscription.revealed', subject: line.subscriptionId, partnerId: 'e-plus' });
  expect(record?.actorId).toMatch(/^usr_/);
});

test('a live page is told at once that it is there, again when something happens to the line, and not for others', async () => {
  const stop = new AbortController();
  const response = await fetch(`${gateway.url}/admin/v1/subscriptions/${line.subscriptionId}/live`, {
    headers: { cookie: portal.cookie ?? '' },
    signal: stop.signal,
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream\b/);
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
  })().catch(() => undefined);
  const told = () => text.match(/^event: changed$/gm)?.length ?? 0;
  await vi.waitFor(() => expect(told()).toBe(1), { timeout: 10_000, interval: 20 });
  await pendingLine(api);
  expect(told()).toBe(1);
  await confirmLine(api, line);
  await vi.waitFor(() => expect(told()).toBeGreaterThan(1), { timeout: 10_000, interval: 20 });
  expect(text).not.toContain(line.msisdn.slice(1));
  stop.abort();
  await reading;
});

test('no more than five live pages of one session', async () => {
  const stop = new AbortController();
  const open = () =>
    fetch(`${gateway.url}/admin/v1/subscriptions/${line.subscriptionId}/live`, {
      headers: { cookie: portal.cookie ?? '' },
      signal: stop.signal,
    });
  const statuses: number[] = [];
  for (let i = 0; i < 6; i++) statuses.push((await open()).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  stop.abort();
});

test('bodies are strict: another type, another member, too long, not JSON', async () => {
  const bad: [unknown, number][] = [
    [{ query: 7 }, 400],
    [{ query: 'a', more: 1 }, 400],
    [{ query: 'x'.repeat(201) }, 400],
    [{ query: 'x'.repeat(9_000) }, 413],
  ];
  for (const [body, status] of bad) expect((await portal.call('POST', '/search', body)).status).toBe(status);
  expect((await portal.call('POST', '/search', { query: 'a' }, { 'content-type': 'text/plain' })).status).toBe(415);
});

test('the log of all this holds no number, password or cookie', () => {
  const log = gateway.logged().join('');
  expect(log).toContain('admin.search');
  for (const secret of [line.msisdn.slice(1), line.iccid, line.imsi, credentials.password, portal.cookie?.split('=')[1] ?? ''])
    expect(log.includes(secret)).toBe(false);
});
