import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, vi } from 'vitest';
import { createMessagingClient, type MessagingClient } from '../../sdks/messaging/index.js';
import { createCausewayClient } from '../../sdks/typescript/index.js';
import { freshIccid, freshMsisdn } from '../../tools/demo/numbers.js';
import type { GatewayHome } from '../../tools/gateway/gateway-process.js';

export type Home = Pick<GatewayHome, 'url' | 'operationsUrl' | 'credentials'>;

/** A refusal as the caller sees it. */
export interface Refusal {
  status: number;
  retryAfter: string | null;
  code: string;
  detail: string;
  hint: string | undefined;
}

/** What goes on while something breaks: a back office that registers SIMs, and two phones that write to each other. */
export interface Load {
  /** ICCIDs whose registration was answered with 201. */
  readonly registered: readonly string[];
  /** Of registrations that were answered otherwise, and were repeated. */
  readonly refused: readonly Refusal[];
  /** Messages whose sender was told that they are stored. */
  readonly sent: readonly string[];
  /** How often sending one failed, and was repeated. */
  unsent(): number;
  /** As the other phone showed them, in order: a message that is shown twice is here twice. */
  readonly shown: readonly string[];
  /** The statuses of reads of the catalogue. */
  readonly reads: readonly number[];
  /** Ends it: what is under way is repeated until it is answered. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

/** For whatever must come, on a machine that does other things as well. */
export const PATIENCE = { timeout: 90_000, interval: 50 };

/** Callers pause between two requests; the tests wait for what they were answered and not for time. */
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

export async function startLoad(home: Home): Promise<Load> {
  const partner = createCausewayClient({ serverUrl: home.url, ...home.credentials() });
  const phones: MessagingClient[] = [];
  const registered: string[] = [];
  const refused: Refusal[] = [];
  const sent: string[] = [];
  const shown: string[] = [];
  const reads: number[] = [];
  let unsent = 0;
  let isOver = false;
  let isClosed = false;
  let bearer = await bearerOf(home);

  async function phone(msisdn: string): Promise<MessagingClient> {
    const client = createMessagingClient({ url: home.url });
    phones.push(client);
    const { token } = await partner.createNumberVerificationToken({ body: { msisdn } });
    await client.register({ msisdn, verificationToken: token, deviceName: 'phone', platform: 'bot', language: 'de' });
    await client.uploadKeys();
    return client;
  }
  const hers = freshMsisdn();
  const herPhone = await phone(hers);
  herPhone.on('message', ({ clientMsgId }) => void shown.push(clientMsgId));
  const friendsPhone = await phone(freshMsisdn());
  friendsPhone.on('message', () => undefined);
  await herPhone.connect();
  await friendsPhone.connect();

  /** @returns undefined when nobody answered. */
  async function ask(
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<Response | undefined> {
    const answer = await fetch(home.url + path, { ...init, headers: { ...init.headers, ...bearer } }).catch(() => undefined);
    if (answer === undefined) await pause();
    return answer;
  }

  /** One request, repeated with its key until it is answered with 201. */
  async function register(iccid: string): Promise<void> {
    while (!isClosed) {
      const answer = await ask('/v1/sim-batches', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': iccid },
        body: JSON.stringify({ market: 'XS', sims: [{ iccid }] }),
      });
      if (answer === undefined) continue;
      const { code = '', detail = '', hint } = (await answer.json()) as { code?: string; detail?: string; hint?: string };
      if (answer.status === 201) {
        registered.push(iccid);
        return;
      }
      refused.push({ status: answer.status, retryAfter: answer.headers.get('retry-after'), code, detail, hint });
      if (answer.status === 401) bearer = await bearerOf(home);
      await pause();
    }
  }

  async function send(clientMsgId: string): Promise<void> {
    while (!isClosed) {
      try {
        await friendsPhone.send({ to: hers, text: clientMsgId, clientMsgId });
        sent.push(clientMsgId);
        return;
      } catch {
        unsent++;
        await pause();
      }
    }
  }

  async function lane(work: (number: number) => Promise<void>): Promise<void> {
    for (let number = 1; !isOver; number++) {
      await work(number);
      await pause();
    }
  }
  const lanes = [
    lane(() => register(freshIccid())),
    lane(() => register(freshIccid())),
    lane((number) => send(`message-${String(number).padStart(6, '0')}`)),
    lane(async () => {
      const answer = await ask('/v1/plans?market=XS');
      if (answer === undefined) return;
      await answer.arrayBuffer();
      reads.push(answer.status);
    }),
  ];

  return {
    registered,
    refused,
    sent,
    unsent: () => unsent,
    shown,
    reads,
    async finish() {
      isOver = true;
      await Promise.all(lanes);
    },
    async close() {
      isOver = true;
      isClosed = true;
      await Promise.all(phones.map((client) => client.close()));
    },
  };
}

/** The load goes on: more of everything than there was. */
export async function goesOn({ registered, sent, shown }: Load): Promise<void> {
  const [before, ...others] = [registered.length, sent.length, shown.length];
  await vi.waitFor(() => {
    expect(registered.length).toBeGreaterThan(before + 5);
    expect(sent.length).toBeGreaterThan((others[0] ?? 0) + 2);
    expect(shown.length).toBeGreaterThan((others[1] ?? 0) + 2);
  }, PATIENCE);
}

/** Ends the load, and holds what was answered against what is there: nothing is missing, nothing is twice. */
export async function nothingIsLostOrDoubled(home: Home, load: Load): Promise<void> {
  await load.finish();
  await vi.waitFor(() => expect(load.shown.length).toBeGreaterThanOrEqual(load.sent.length), PATIENCE);
  expect(load.shown, 'each message once, in order').toEqual(load.sent);
  const partner = createCausewayClient({ serverUrl: home.url, ...home.credentials() });
  const there: string[] = [];
  for await (const sim of partner.listSims.items({ query: { limit: 200 } })) there.push(sim.iccid);
  expect(there.sort(), 'each SIM once').toEqual([...load.registered].sort());
}

/** Both files of a gateway that has ended are whole. */
export function filesAreWhole(dataDir: string): void {
  for (const name of ['gateway.db', 'messages.db']) {
    const database = new Database(join(dataDir, name));
    expect(database.pragma('integrity_check'), name).toEqual([{ integrity_check: 'ok' }]);
    database.close();
  }
}

export interface Readiness {
  status: string;
  notReady?: string[];
  reasons?: Record<string, string>;
}

export async function readiness({ operationsUrl }: Pick<Home, 'operationsUrl'>): Promise<Readiness> {
  return (await (await fetch(`${operationsUrl}/readyz`)).json()) as Readiness;
}

export const becomesReady = (home: Home): Promise<unknown> =>
  vi.waitFor(async () => expect(await readiness(home)).toEqual({ status: 'ready' }), PATIENCE);

async function bearerOf({ url, credentials }: Home): Promise<{ authorization: string }> {
  const { clientId, clientSecret } = credentials();
  const answer = await fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  return { authorization: `Bearer ${((await answer.json()) as { access_token: string }).access_token}` };
}
