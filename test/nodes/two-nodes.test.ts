/**
 * Two nodes of one gateway on PostgreSQL and NATS. The back office talks to one of them and the phones to the other; then
 * one of them is killed (-9) right after a commit of its own and the other goes on: nothing is lost, nothing happens twice.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everySms, judge } from '../crash/lane.js';
import { findServices } from '../fakes/services.js';
import { type Nodes, startNodes } from './nodes.js';

const services = await findServices('postgres', 'nats');
const TEST_MS_MAX = 120_000;

describe.skipIf(services.skipped !== undefined)('two nodes', () => {
  let all: Nodes;
  beforeAll(async () => {
    all = await startNodes({ databaseUrl: services.urls.postgres, natsUrl: services.urls.nats });
  }, TEST_MS_MAX);
  afterAll(() => all.close(), TEST_MS_MAX);

  /** The story, with the phones at the other node than the back office. */
  async function play() {
    const reached = { url: all.doors[0], phonesUrl: all.doors[1], credentials: all.home.credentials };
    return judge(reached, await everySms(reached), () => undefined);
  }

  test('the binds of a link are shared, and both nodes show each of them bound', { timeout: TEST_MS_MAX }, async () => {
    await expect
      .poll(async () => all.sql(`SELECT count(DISTINCT owner)::int AS owners FROM node_lease WHERE name LIKE 'bind/e-plus/%'`), {
        timeout: 20_000,
      })
      .toEqual([{ owners: 2 }]);
  });

  test('the story goes from end to end with the phones at the other node', { timeout: TEST_MS_MAX }, async () => {
    expect(await play()).toEqual({ outcome: 'complete', problems: [] });
  });
});
