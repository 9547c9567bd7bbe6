/**
 * Two nodes of one gateway under a running load, while one of them dies or stands still, or what they stand on goes away:
 * NATS, every connection to PostgreSQL. Nothing that was answered is missing, and nothing is there twice.
 */
import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { type Crash, openCrash } from '../../tools/crash/crash.js';
import { killInRounds, standStill } from '../../tools/crash/rounds.js';
import { createNatsServer } from '../../tools/gateway/nats-server.js';
import { findServices } from '../fakes/services.js';

const services = await findServices('postgres', 'nats');
const hasNatsServer = spawnSync('nats-server', ['--version']).status === 0;
const TEST_MS_MAX = 600_000;
const SEED = Number(process.env['CRASH_SEED'] ?? 20_261_123);
const ROUNDS = 5;
const CUTS = 3;

let crash: Crash | undefined;
afterEach(async () => {
  await crash?.close();
  crash = undefined;
}, TEST_MS_MAX);

const openTwoNodes = (natsUrl: string = services.urls.nats) =>
  openCrash({ nodes: 2, databaseUrl: services.urls.postgres, natsUrl, seed: SEED });

describe.skipIf(services.skipped !== undefined)('two nodes under a load', () => {
  test('one or the other is killed at random moments', { timeout: TEST_MS_MAX }, async () => {
    crash = await openTwoNodes();
    await killInRounds(crash, ROUNDS, () => undefined);
    expect((await crash.judge()).findings).toEqual([]);
  });

  test('one stands still until the other has taken its work over, and goes on', { timeout: TEST_MS_MAX }, async () => {
    crash = await openTwoNodes();
    for (const node of crash.place.nodes) {
      await crash.answers(40 + crash.random(40));
      await standStill(crash, node);
    }
    await crash.answers(40);
    expect((await crash.judge()).findings).toEqual([]);
  });

  test('every connection to the database is cut, again and again', { timeout: TEST_MS_MAX }, async () => {
    crash = await openTwoNodes();
    for (let cut = 0; cut < CUTS; cut++) {
      await crash.answers(40 + crash.random(40));
      expect(await crash.place.database?.cutConnections()).toBeGreaterThan(0);
    }
    await crash.answers(40);
    expect((await crash.judge()).findings).toEqual([]);
  });

  test.skipIf(!hasNatsServer)('NATS is killed, is away, and comes back', { timeout: TEST_MS_MAX }, async () => {
    const nats = await createNatsServer();
    await nats.start();
    try {
      crash = await openTwoNodes(nats.url);
      for (let cut = 0; cut < CUTS; cut++) {
        await crash.answers(40);
        await nats.kill();
        // Wake-ups are hints: the work goes on without them.
        await crash.answers(20);
        await nats.start();
      }
      await crash.answers(40);
      expect((await crash.judge()).findings).toEqual([]);
    } finally {
      await crash?.close();
      crash = undefined;
      await nats.kill();
    }
  });
});
