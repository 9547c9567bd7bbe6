import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInProcessBus } from '../../src/bus/index.js';
import { createEngine, type DeviceIdentity, type Engine, type EngineOptions, type FallbackAdmission } from '../../src/engine/index.js';
import { GatewayError } from '../../src/kernel/errors.js';
import { createLog } from '../../src/kernel/log.js';
import type { Msisdn } from '../../src/kernel/msisdn.js';
import type { Store } from '../../src/store/index.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { openTestStore } from '../fakes/store.js';

export const PARTNER = 'e-plus';
export const MARKET = 'XS';

export interface Person extends DeviceIdentity {
  msisdn: string;
  registrationId: number;
  deviceSecret: string;
}

export interface Rig {
  store: Store;
  clock: FakeClock;
  /** Milliseconds that the partner's time is ahead of the wall clock. */
  domain: { aheadMs: number };
  engine: Engine;
  /** What the policy answers next; every question is kept. */
  policy: { answer: FallbackAdmission; asked: unknown[] };
  /** Registers a number on a line of the partner. */
  person(msisdn: string): Promise<Person>;
  /** Registers the number again, on the line as it is. */
  register(msisdn: string): Promise<Person>;
  facts(): Promise<Record<string, unknown>[]>;
  /** Listens for streams; `ws://127.0.0.1:…/messaging/v1/stream`. */
  listen(): Promise<string>;
  close(): Promise<void>;
}

/** The engine alone: kernel, store and bus, and hooks that do the least. A device token is `<accountId>.<deviceId>`. */
export async function openRig(
  given: { store?: Store; clock?: FakeClock; options?: Partial<EngineOptions>; raised?: Map<string, number> } = {},
): Promise<Rig> {
  const store = given.store ?? (await openTestStore());
  const clock = given.clock ?? createFakeClock();
  const domain = { aheadMs: 0 };
  const policy: Rig['policy'] = { answer: { admitted: true }, asked: [] };
  const failures: unknown[] = [];
  const engine = createEngine({
    store: store.messages,
    bus: createInProcessBus((failure) => failures.push(failure)),
    clock,
    domainClock: { now: () => clock.now() + domain.aheadMs },
    log: createLog('silent'),
    tokens: {
      issue: async ({ accountId, deviceId }) => ({ accessToken: `${accountId}.${deviceId}`, expiresInSeconds: 900 }),
      verify: async (token) => {
        const [accountId = '', deviceId = ''] = token.split('.');
        if (!deviceId.startsWith('dev_')) throw new GatewayError('UNAUTHENTICATED', { detail: 'No such token.' });
        return { accountId, deviceId };
      },
    },
    numberVerification: { verify: async (msisdn, token) => token === `proof of ${msisdn}` },
    fallbackPolicy: {
      admit: async (asked) => {
        policy.asked.push(asked);
        return policy.answer;
      },
    },
    bridgeKeys: {
      list: () => [{ keyId: 'bridge-1', suite: 'hpke-1', publicKey: 'A'.repeat(43), notBefore: 0, notAfter: 4_000_000_000_000 }],
      isCurrent: (keyId) => keyId === 'bridge-1',
    },
    ...given.options,
  });
  const servers: { close(): void }[] = [];
  let raises = 0;

  async function register(msisdn: string): Promise<Person> {
    const registrationId = 1 + (raises++ % 16_000);
    const { accountId, deviceId, deviceSecret } = await engine.accounts.register({
      msisdn: msisdn as Msisdn,
      verificationToken: `proof of ${msisdn}`,
      device: { name: 'phone', registrationId, platform: 'android' },
      language: 'de',
    });
    return { accountId, deviceId, deviceSecret, msisdn, registrationId };
  }

  return {
    store,
    clock,
    domain,
    engine,
    policy,
    register,
    async person(msisdn) {
      await engine.lines.raise({ id: `first ${msisdn}`, msisdn, partnerId: PARTNER, market: MARKET, cause: 'activated' });
      return register(msisdn);
    },
    async facts() {
      const rows = await store.messages.read<{ id: string; payload: string }>(
        `SELECT id, payload FROM outbox WHERE topic = 'engine' ORDER BY position`,
      );
      return rows.map((row) => {
        const fact = JSON.parse(row.payload) as Record<string, unknown>;
        if (fact['id'] !== row.id) throw new Error('a fact has the id of its outbox row');
        return fact;
      });
    },
    async listen() {
      const server = createServer();
      server.on('upgrade', (request, socket, head) => {
        if (!engine.stream.handleUpgrade(request, socket, head)) socket.destroy();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      servers.push(server);
      return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/messaging/v1/stream`;
    },
    async close() {
      await engine.close();
      for (const server of servers) server.close();
      await store.close();
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** A message from one client to all devices of a person. */
export const aMessage = (to: Person, clientMsgId: string, more: Record<string, unknown> = {}) => ({
  clientMsgId,
  devices: [{ deviceId: to.deviceId, registrationId: to.registrationId, suite: 'olm-1', body: `opaque ${clientMsgId}` }],
  ...more,
});

export const aSealedText = (expiresAt: string) => ({ keyId: 'bridge-1', enc: 'E'.repeat(43), ciphertext: 'c2VhbGVk', expiresAt });

/** A small generator that repeats itself for a seed (mulberry32), for schedules that a failure can name. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
