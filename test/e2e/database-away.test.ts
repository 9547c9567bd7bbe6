/**
 * A gateway under a running load while its PostgreSQL goes away in every way that there is: connections that the server
 * ends or the network cuts, a COMMIT that is lost or whose answer is, a server that is being restarted. Nothing that was
 * answered is missing, nothing is there twice, nobody has to do anything.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Crash, openCrash } from '../../tools/crash/crash.js';
import { type DatabaseProxy, openDatabaseProxy } from '../fakes/database-proxy.js';
import { findServices } from '../fakes/services.js';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const { urls, skipped } = await findServices('postgres');
const SEED = Number(process.env['CRASH_SEED'] ?? 20_261_124);
const ROUNDS = 8;

describe.skipIf(skipped)(`PostgreSQL goes away under a load${skipped ? ` (${skipped})` : ''}`, () => {
  let proxy: DatabaseProxy;
  let crash: Crash;
  beforeAll(async () => {
    proxy = await openDatabaseProxy(urls.postgres);
    crash = await openCrash({ databaseUrl: proxy.url, seed: SEED });
  });
  afterAll(async () => {
    await proxy.start();
    await crash.close();
    await proxy.close();
  });

  async function ready(): Promise<{ status: number; body: { status: string; notReady?: string[]; links?: unknown[] } }> {
    const answer = await fetch(`${crash.place.home.operationsUrl}/readyz?verbose`);
    return { status: answer.status, body: (await answer.json()) as { status: string } };
  }
  const until = async (holds: () => Promise<boolean>): Promise<void> => {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
  };

  test('its connections are lost at random moments, also in the middle of a COMMIT', async () => {
    const ways: (() => unknown)[] = [
      () => proxy.cut(),
      () => crash.place.database?.cutConnections(),
      () => proxy.onCommit('answer lost', 3),
      () => proxy.onCommit('lost on the way', 3),
      () => proxy.onCommit('lost, half open', 2),
    ];
    for (let round = 0; round < ROUNDS; round++) {
      await crash.answers(10 + crash.random(30));
      await ways[round < ways.length ? round : crash.random(ways.length)]?.();
    }
    await crash.answers(30);
  });

  test('it is being restarted: /readyz names it, requests are 503 with a code, and all goes on by itself', async () => {
    expect(await ready()).toMatchObject({ status: 200, body: { status: 'ready', links: expect.any(Array) } });
    await proxy.stop();
    await until(async () => (await ready()).status === 503);
    const reasons = { postgresql: expect.any(String) };
    expect(await ready()).toEqual({ status: 503, body: { status: 'unavailable', notReady: ['postgresql'], reasons } });
    for (let times = 0; times < 3; times++) {
      await expect(crash.reach.partner.listOrders()).rejects.toMatchObject({
        status: 503,
        body: { code: 'UNAVAILABLE', correlator: expect.any(String) },
      });
    }
    await proxy.start();
    await until(async () => (await ready()).status === 200);
    await crash.answers(60);
  });

  test('then everything that was answered is there, once', async () => {
    const { answered, findings } = await crash.judge();
    expect(findings).toEqual([]);
    expect(answered).toBeGreaterThan(200);
  });
});
