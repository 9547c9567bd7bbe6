import type { Request } from 'express';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAttempts } from '../../src/admin/attempts.js';
import { createPasswords } from '../../src/admin/passwords.js';
import { portalOrigins } from '../../src/admin/same-origin.js';
import { createSessions, IDLE_MS, SESSION_MS } from '../../src/admin/sessions.js';
import { ensureUser } from '../../src/admin/users.js';
import type { Store } from '../../src/store/index.js';
import { createFakeClock } from '../fakes/clock.js';
import { openTestStore } from '../fakes/store.js';

let store: Store;
let userId: string;
const clock = createFakeClock();
const user = { email: 'Care@EPlus.example', password: 'long enough', role: 'care', partnerId: 'e-plus' } as const;
const passwords = createPasswords();

beforeAll(async () => {
  store = await openTestStore();
  const { control } = store;
  await ensureUser({ control, clock, passwords }, user);
  userId = (await control.read.portalUser.findUniqueOrThrow({ where: { email: 'care@eplus.example' } })).id;
});
afterAll(async () => store?.close());

const sessionsAt = (publicUrl: string) => createSessions({ control: store.control, clock, publicUrl });
const asking = (cookie: string) => ({ headers: { cookie: `other=1; ${cookie.split(';')[0]}` } }) as Request;

test('a session that is not used for half an hour is over, and one that is used lives on', async () => {
  const sessions = sessionsAt('https://gateway.example');
  const [used, idle] = [await start(), await start()];
  for (let i = 0; i < 3; i++) {
    await clock.advance(IDLE_MS - 60_000);
    expect((await sessions.of(asking(used))).email).toBe('care@eplus.example');
  }
  await expect(sessions.of(asking(idle))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });

  async function start(): Promise<string> {
    return sessions.cookie(await store.control.transact((tx) => sessions.start(tx, userId)));
  }
});

test('however much it is used, a session ends after twelve hours', async () => {
  const sessions = sessionsAt('https://gateway.example');
  const cookie = sessions.cookie(await store.control.transact((tx) => sessions.start(tx, userId)));
  for (let passed = 0; passed < SESSION_MS - IDLE_MS / 2; passed += IDLE_MS / 2) {
    await sessions.of(asking(cookie));
    await clock.advance(IDLE_MS / 2);
  }
  await sessions.of(asking(cookie));
  await clock.advance(IDLE_MS - 1);
  await expect(sessions.of(asking(cookie))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('with https the cookie is this host’s alone and never sent in the clear', () => {
  expect(sessionsAt('https://gateway.example').cookie('t')).toBe('__Host-causeway=t; Path=/; HttpOnly; SameSite=Lax; Secure');
  expect(sessionsAt('http://127.0.0.1:8080').cookie('t')).toBe('causeway-8080=t; Path=/; HttpOnly; SameSite=Lax');
});

test('one person has ten sessions at the most: the oldest goes', async () => {
  const sessions = sessionsAt('https://gateway.example');
  for (let i = 0; i < 12; i++) {
    await clock.advance(1_000);
    await store.control.transact((tx) => sessions.start(tx, userId));
  }
  expect(await store.control.read.portalSession.count({ where: { userId } })).toBe(10);
});

test('a person who is disabled is signed out at once, and a new password ends every session', async () => {
  const { control } = store;
  const sessions = sessionsAt('https://gateway.example');
  const cookie = sessions.cookie(await control.transact((tx) => sessions.start(tx, userId)));
  const setDisabled = (disabledAt: Date | null) =>
    control.transact((tx) => tx.portalUser.update({ where: { id: userId }, data: { disabledAt } }));
  await setDisabled(new Date(clock.now()));
  await expect(sessions.of(asking(cookie))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  await setDisabled(null);
  await ensureUser({ control, clock, passwords }, user);
  expect((await sessions.of(asking(cookie))).userId).toBe(userId);
  await ensureUser({ control, clock, passwords }, { ...user, password: 'another one' });
  await expect(sessions.of(asking(cookie))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

test('attempts past the bound wait for the window to end; one that was good does not count', async () => {
  const attempts = createAttempts(clock, { max: 2, windowMs: 60_000, detail: 'Too many.' });
  attempts.take('her');
  attempts.take('her')();
  attempts.take('her');
  expect(() => attempts.take('her')).toThrow('Too many.');
  attempts.take('him');
  await clock.advance(60_000);
  attempts.take('her');
});

test('a password is never right for an account that does not exist', async () => {
  expect(await passwords.matches(undefined, 'nobody has this password')).toBe(false);
});

test('on loopback the portal may be called by each of the machine’s names, elsewhere by its own only', () => {
  expect([...portalOrigins('http://127.0.0.1:8080')].sort()).toEqual([
    'http://127.0.0.1:8080',
    'http://[::1]:8080',
    'http://localhost:8080',
  ]);
  expect([...portalOrigins('https://gateway.example')]).toEqual(['https://gateway.example']);
});
