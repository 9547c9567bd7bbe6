import { randomBytes } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createIdentity, createKeyWrap, type Identity, type OAuthClient } from '../../src/identity/index.js';
import { createLog } from '../../src/kernel/log.js';
import type { Store } from '../../src/store/index.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { aClient } from '../fakes/gateway.js';
import { openTestStore } from '../fakes/store.js';

const url = 'https://gateway.example';
const keyWrap = createKeyWrap(randomBytes(32));
let store: Store;
let clock: FakeClock;
let identity: Identity;
let clients: OAuthClient[];

const open = () =>
  createIdentity({
    store: store.control,
    keyWrap,
    clock,
    log: createLog('silent'),
    environment: 'sandbox',
    publicUrl: () => url,
    directory: { find: (id) => clients.find((client) => client.id === id), environmentOf: () => 'sandbox' },
  });
const kidOf = (token: string) => jwt.decode(token, { complete: true })?.header.kid;
const grant = () => identity.grant(clients[0] ?? aClient(), undefined).access_token;
const published = () => identity.jwks().keys.map((key) => Reflect.get(key, 'kid'));

beforeEach(async () => {
  store = await openTestStore();
  clock = createFakeClock();
  clients = [aClient()];
  identity = await open();
});
afterEach(async () => {
  await identity.close();
  await store.close();
});

describe('a token', () => {
  test('is good for 15 minutes, also when it was verified before', async () => {
    const token = grant();
    expect(await identity.callerOf(token)).toMatchObject({ partnerId: 'e-plus' });
    await clock.advance(899_000);
    expect(await identity.callerOf(token)).toMatchObject({ partnerId: 'e-plus' });
    await clock.advance(1_000);
    await expect(identity.callerOf(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED', detail: 'The token has expired.' });
  });

  test('survives a restart, unless its client is gone; a lost scope is lost', async () => {
    const token = grant();
    await identity.close();
    identity = await open();
    expect((await identity.callerOf(token)).scopes).toContain('orders:write');
    await identity.close();
    clients = [aClient({ scopes: ['plans:read'] })];
    identity = await open();
    expect([...(await identity.callerOf(token)).scopes]).toEqual(['plans:read']);
    await identity.close();
    clients = [];
    identity = await open();
    await expect(identity.callerOf(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('of a device opens only the messaging API, and the other way round', async () => {
    const who = { accountId: 'acc_1', deviceId: 'dev_1' };
    const { accessToken } = await identity.deviceTokens.issue(who);
    expect(jwt.decode(accessToken)).toMatchObject({ aud: `${url}/messaging`, sub: 'dev_1' });
    expect(await identity.deviceTokens.verify(accessToken)).toEqual(who);
    await expect(identity.callerOf(accessToken)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(identity.deviceTokens.verify(grant())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('that was changed, or is signed by no key of ours, or is of another type, is refused', async () => {
    const [head, body, signature] = grant().split('.');
    const claims = JSON.parse(Buffer.from(String(body), 'base64url').toString());
    const forged = Buffer.from(JSON.stringify({ ...claims, partner_id: 'other' })).toString('base64url');
    const attempts = [
      `${head}.${forged}.${signature}`,
      jwt.sign(claims, 'secret', { algorithm: 'HS256', keyid: String(published()[0]) }),
      'a.b.c',
      '',
    ];
    for (const attempt of attempts) await expect(identity.callerOf(attempt)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('signing keys', () => {
  test('a new key is published before it signs, and the old one until its last token has expired', async () => {
    const before = grant();
    const [first] = published();
    await identity.rotateSigningKey();
    expect(published()).toHaveLength(2);
    expect(kidOf(grant())).toBe(first);
    await clock.advance(600_000);
    const last = before;
    expect(kidOf(grant())).not.toBe(first);
    expect(await identity.callerOf(last)).toBeTruthy();
    await clock.advance(899_000);
    expect(published()).toContain(first);
    await clock.advance(62_000);
    expect(published()).not.toContain(first);
    await identity.sweep();
    expect(await store.control.read.signingKey.count()).toBe(1);
  });

  test('rotate by themselves after a month', async () => {
    const [first] = published();
    await identity.close();
    await clock.advance(30 * 86_400_000 - 120_000);
    identity = await open();
    await clock.advance(60_000);
    expect(published()).toEqual([first]);
    await clock.advance(120_000);
    await expect.poll(() => published().length).toBe(2);
    await clock.advance(601_000);
    expect(kidOf(grant())).not.toBe(first);
  });

  test('two nodes that rotate at once make one key, and each knows what the other signed', async () => {
    const other = await open();
    await Promise.all([identity.rotateSigningKey(), other.rotateSigningKey()]);
    expect(await store.control.read.signingKey.count()).toBe(2);
    await clock.advance(600_000);
    const client = clients[0] ?? aClient();
    const token = other.grant(client, undefined).access_token;
    expect(await identity.callerOf(token)).toBeTruthy();
    await other.close();
  });

  test('rest wrapped: the database does not hold a private key', async () => {
    const [row] = await store.control.read.signingKey.findMany();
    expect(row?.wrappedKey).toMatch(/^w2\./);
    expect(JSON.parse(row?.publicJwk ?? '{}')).not.toHaveProperty('d');
  });
});
