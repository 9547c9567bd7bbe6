/**
 * Two nodes of one gateway on PostgreSQL and NATS. The back office talks to one of them and the phones to the other; then
 * one of them is killed (-9) right after a commit of its own and the other goes on: nothing is lost, nothing happens twice.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Aftermath, everySms, judge } from '../crash/lane.js';
import { findServices } from '../fakes/services.js';
import { type Nodes, startNodes } from './nodes.js';

const services = await findServices('postgres', 'nats');
const TEST_MS_MAX = 120_000;

/** Commits after which a node dies, each with work of its own under way: what it alone knew of, the other has to find. */
const BOUNDARIES = [
  { boundary: 'gateway.db http/idempotency.js act', nth: 4 },
  { boundary: 'messages.db engine.sendMessages', nth: 1 },
  { boundary: 'messages.db engine.claimFallbacks', nth: 1 },
  { boundary: 'messages.db sms.finishAttempt', nth: 1 },
  { boundary: 'messages.db sms.insertInbound', nth: 1 },
];
/** `NODES_ALL=1`: what takes longer than everybody wants to wait each time. */
const MORE = [
  { boundary: 'gateway.db provisioning/fulfilment.js settle', nth: 1 },
  { boundary: 'messages.db engine.raiseLines', nth: 1 },
  { boundary: 'messages.db engine.registerAccounts', nth: 1 },
  { boundary: 'messages.db engine.acknowledge', nth: 1 },
  { boundary: 'messages.db sms.insert', nth: 1 },
  { boundary: 'messages.db sms.change', nth: 2 },
  { boundary: 'messages.db sms.insertReceipt', nth: 1 },
  { boundary: 'messages.db engine.enqueueSystem', nth: 1 },
  { boundary: 'messages.db sms.endInbound', nth: 1 },
  { boundary: 'gateway.db events/create-events.js appendFromOutbox', nth: 3 },
  { boundary: 'gateway.db events/delivery-worker.js settle', nth: 2 },
];

describe.skipIf(services.skipped !== undefined)('two nodes', () => {
  let all: Nodes;
  beforeAll(async () => {
    all = await startNodes({ databaseUrl: services.urls.postgres, natsUrl: services.urls.nats });
  }, TEST_MS_MAX);
  afterAll(() => all?.close(), TEST_MS_MAX);

  /** The story, with the phones at the other node than the back office. */
  async function play(): Promise<Omit<Aftermath, 'deaths'>> {
    const reached = { url: all.doors[0], phonesUrl: all.doors[1], credentials: all.home.credentials };
    return judge(reached, await everySms(reached), () => undefined);
  }

  const bindsAreShared = () =>
    expect
      .poll(() => all.sql(`SELECT count(DISTINCT owner)::int AS owners FROM node_lease WHERE name LIKE 'bind/e-plus/%'`), {
        timeout: 20_000,
      })
      .toEqual([{ owners: 2 }]);

  test('the binds of a link are shared between them', { timeout: TEST_MS_MAX }, async () => {
    await bindsAreShared();
  });

  test('the story goes from end to end with the phones at the other node', { timeout: TEST_MS_MAX }, async () => {
    expect(await play()).toEqual({ outcome: 'complete', problems: [] });
  });

  test.each(process.env['NODES_ALL'] === '1' ? [...BOUNDARIES, ...MORE] : BOUNDARIES)(
    'after $boundary one dies, and the other goes on without it',
    { timeout: TEST_MS_MAX },
    async (kill) => {
      await bindsAreShared();
      const file = join(all.home.dataDir, `dead-${randomUUID()}`);
      await Promise.all(all.nodes.map((node) => node.dieAt({ ...kill, file })));
      const outcome = await play();
      const up = all.nodes.filter((node) => node.isUp()).length;
      for (const node of all.nodes) if (!node.isUp()) await node.start();
      expect(outcome).toEqual({ outcome: 'complete', problems: [] });
      expect(up, 'nodes that lived').toBe(1);
    },
  );
});
