import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateReplyKeyPair, openReply, sealFallback } from '../../sdks/messaging/hpke.js';
import { createInProcessBus } from '../../src/bus/index.js';
import type { Engine, Fallback } from '../../src/engine/index.js';
import type { NewEvent } from '../../src/events/event.js';
import { createKeyWrap } from '../../src/identity/master-key.js';
import { type Clock, toRfc3339 } from '../../src/kernel/clock.js';
import type { KeyWrap } from '../../src/kernel/key-wrap.js';
import { createLog } from '../../src/kernel/log.js';
import { createPartnerRegistry, loadPartners, type Partner, type PartnerRegistry, type SmppLink } from '../../src/partners/index.js';
import { openSandboxSmsc, type SandboxSmsc, type SandboxSmscOptions } from '../../src/sandbox/smsc/index.js';
import {
  bridgeKeysOf,
  createFallbackPolicy,
  createSms,
  type Opener,
  openOpener,
  type SmsBridge,
  type SmsOptions,
} from '../../src/sms/index.js';
import { type MessageStore, openSqliteStore, type Store } from '../../src/store/index.js';
import { aMessage, type Person as EnginePerson, type Rig as EngineRig, openRig as openEngineRig } from '../engine/rig.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';

export type Person = EnginePerson & { privateReplyKey: string };

export interface RigOptions {
  senders?: Partner['sms']['senders'];
  link?: Partial<SmppLink>;
  /** Links beside the first, like it but for their id, by which they also bind. */
  siblings?: readonly string[];
  /** Accounts of ESMEs; those that are shipped unless given. */
  listeners?: Partner['smpp']['listeners'];
  smsc?: Partial<SandboxSmscOptions>;
  sms?: Partial<SmsOptions>;
  /** Stands between the bridge and what it writes. */
  wrapMessages?: (messages: MessageStore) => MessageStore;
  /** And between it and its timers. */
  wrapClock?: (clock: Clock) => Clock;
  /** Where the links dial instead of the SMSC, while it says so. */
  port?: () => number | undefined;
  /** Written by the log, line by line. */
  logged?: string[];
}

export interface SmsRig {
  readonly folder: string;
  readonly clock: FakeClock;
  readonly smsc: SandboxSmsc;
  readonly store: Store;
  readonly engine: Engine;
  readonly sms: SmsBridge;
  readonly opener: Opener;
  readonly partners: PartnerRegistry;
  readonly domain: { aheadMs: number };
  readonly engineRig: EngineRig;
  person(msisdn: string): Promise<Person>;
  /** Sends an app message with a sealed fallback that is due at once. */
  fallback(from: Person, to: Person, text: string, more?: Record<string, unknown>): Promise<Fallback>;
  notice(from: Person, to: Person, more?: Record<string, unknown>): Promise<Fallback>;
  get(id: string): Promise<Fallback>;
  /** Moves the partner's time past every timer and lets the bridge claim. */
  fire(): void;
  events(): Promise<NewEvent[]>;
  /** The texts of the answers in a person's queue, opened with her key. */
  replies(person: Person): Promise<{ text: string; from: string; inReplyTo: string }[]>;
  statuses(person: Person): Promise<string[]>;
  /** Waits, without moving time, until it is so. */
  until(what: () => boolean | Promise<boolean>): Promise<void>;
  /** Moves time in small steps until it is so. */
  within(what: () => boolean | Promise<boolean>): Promise<void>;
  bound(): Promise<void>;
  stopSms(): Promise<void>;
  /** Closes bridge, engine and store without a word, and opens them again on the same files. */
  restart(): Promise<void>;
  /** Leaves the bridge where it stands, which must not do anything any more, and opens another one on the same files. */
  abandon(): Promise<void>;
  close(): Promise<void>;
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));
const GIVE_UP_MS = 8_000;
const STEP_MS = 50;

export const MASTER: KeyWrap = createKeyWrap(Buffer.alloc(32, 7));
export const NUMBER: Partner['sms']['senders'][number] = {
  address: '+9995790000001',
  type: 'number',
  markets: ['XS'],
  use: ['chat', 'notice'],
  replies: true,
  group: 'default',
  status: 'active',
};
export const SECOND_NUMBER = { ...NUMBER, address: '+9995790000002' };
export const LETTERS: Partner['sms']['senders'][number] = {
  address: 'CAUSEWAY',
  type: 'alphanumeric',
  markets: ['XS'],
  use: ['notice', 'otp'],
  replies: false,
  group: 'default',
  status: 'active',
};

/** The bridge with the real engine, the real store, the partner e-plus and the simulated SMSC over TCP. */
export async function openSmsRig(given: RigOptions = {}): Promise<SmsRig> {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-sms-'));
  const clock = createFakeClock();
  const domain = { aheadMs: 0 };
  const domainClock = { now: () => clock.now() + domain.aheadMs };
  const written = given.logged;
  const log = written ? createLog('debug', { write: (line: string) => void written.push(line) }) : createLog('silent');
  const smsc = await openSandboxSmsc({
    host: '127.0.0.1',
    port: 0,
    accounts: [{ systemId: 'causeway', password: 'sandbox' }],
    clock,
    log: createLog('silent'),
    ...given.smsc,
  });
  const registry = await loadPartners(fileURLToPath(new URL('../../partners', import.meta.url)), {});
  const ePlus = registry.get('e-plus');
  if (!ePlus) throw new Error('the partner e-plus is there');
  const partners = createPartnerRegistry(
    [
      {
        ...ePlus,
        smpp: {
          listeners: given.listeners ?? ePlus.smpp.listeners,
          links: ePlus.smpp.links.flatMap((shipped) => {
            const link = { ...shipped, segmentsPerSecondMax: 10_000, ...given.link };
            return [link, ...(given.siblings ?? []).map((id) => ({ ...link, id, systemId: id }))];
          }),
        },
        sms: { ...ePlus.sms, senders: given.senders ?? [LETTERS, NUMBER, SECOND_NUMBER] },
      },
    ],
    registry.policies,
  );
  const raised = new Map<string, string>();
  let parts = await openParts(folder);

  async function openParts(at: string) {
    const store = await openSqliteStore(at);
    const opener = await openOpener({ keysFolder: join(at, 'keys'), masterKey: MASTER, clock, log });
    const engineRig = await openEngineRig({
      store,
      clock,
      options: {
        domainClock,
        fallbackPolicy: createFallbackPolicy({ partners, subscriptions: { liveOn: async (_, msisdn) => raised.get(msisdn) } }),
        bridgeKeys: bridgeKeysOf(opener),
      },
    });
    const sms = await createSms({
      store: given.wrapMessages?.(store.messages) ?? store.messages,
      bus: createInProcessBus(() => undefined),
      clock: given.wrapClock?.(clock) ?? clock,
      domainClock,
      log,
      engine: engineRig.engine,
      partners,
      opener,
      keyWrap: MASTER,
      sandboxSmsc: () => ({ host: '127.0.0.1', port: given.port?.() ?? smsc.port }),
      ...given.sms,
    });
    return { store, opener, engineRig, sms };
  }

  /** A drain is bounded by timers, so time goes on while it lasts. */
  async function drained(closing: Promise<void>): Promise<void> {
    let isDone = false;
    const done = closing.finally(() => {
      isDone = true;
    });
    for (let last = performance.now(); !isDone; await tick()) {
      if (performance.now() - last < STEP_MS) continue;
      last = performance.now();
      await clock.advance(STEP_MS);
    }
    await done;
  }

  async function closeParts(): Promise<void> {
    await drained(parts.sms.close());
    parts.opener.close();
    await parts.engineRig.close();
  }

  async function until(what: () => boolean | Promise<boolean>): Promise<void> {
    for (const end = performance.now() + GIVE_UP_MS; performance.now() < end; await tick()) if (await what()) return;
    throw new Error('it did not happen');
  }

  const calls = () => parts.engineRig.engine.calls;
  const envelopes = async (person: Person) => (await calls().readQueue(person, 100)).items;
  let sent = 0;

  async function send(from: Person, to: Person, fallback: Record<string, unknown>, clientMsgId: string): Promise<Fallback> {
    const answer = await calls().sendMessage(
      from,
      to.accountId,
      aMessage(to, clientMsgId, { ref: '7QKD', fallback }),
      `req-${clientMsgId}`,
    );
    return rig.get(answer.fallback?.id ?? 'none');
  }

  const rig: SmsRig = {
    folder,
    clock,
    smsc,
    partners,
    domain,
    get store() {
      return parts.store;
    },
    get engine() {
      return parts.engineRig.engine;
    },
    get engineRig() {
      return parts.engineRig;
    },
    get sms() {
      return parts.sms;
    },
    get opener() {
      return parts.opener;
    },
    async person(msisdn) {
      const pair = await generateReplyKeyPair();
      const person = await parts.engineRig.person(msisdn);
      await calls().uploadKeys(person, { replyKey: { suite: 'hpke-1', publicKey: pair.publicKey } });
      return { ...person, privateReplyKey: pair.privateKey };
    },
    async fallback(from, to, text, more = {}) {
      const clientMsgId = `c${++sent}`;
      const [key] = parts.opener.currentKeys();
      if (!key) throw new Error('the opener has a key');
      const expiresAt = toRfc3339(clock.now() + 3_600_000);
      const binding = { clientMsgId, senderDeviceId: from.deviceId, recipientMsisdn: to.msisdn, expiresAt };
      const sealed = await sealFallback({ publicKey: key.publicKey, text, ...binding });
      return send(from, to, { mode: 'sealed', class: 'chat', sealed: { keyId: key.keyId, ...sealed, expiresAt }, ...more }, clientMsgId);
    },
    notice: (from, to, more = {}) => send(from, to, { mode: 'notice', class: 'chat', ...more }, `c${++sent}`),
    async get(id) {
      const fallback = await parts.engineRig.engine.fallbacks.get(id, 'e-plus');
      if (!fallback) throw new Error('the fallback is there');
      return fallback;
    },
    fire() {
      domain.aheadMs += 300_000;
      parts.sms.wake();
    },
    async events() {
      const rows = await parts.store.messages.read<{ payload: string }>(
        `SELECT payload FROM outbox WHERE topic = 'event' ORDER BY position`,
      );
      return rows.map((row) => JSON.parse(row.payload) as NewEvent);
    },
    async replies(person) {
      const own = (await envelopes(person)).filter((envelope) => envelope.kind === 'sms-reply');
      return Promise.all(
        own.map(async ({ body }) => {
          const { enc, ciphertext, receivedAt, inReplyTo } = JSON.parse(body) as Record<
            'enc' | 'ciphertext' | 'receivedAt' | 'inReplyTo',
            string
          >;
          const binding = { deviceId: person.deviceId, inReplyTo, receivedAt };
          return { ...(await openReply({ privateKey: person.privateReplyKey, enc, ciphertext, ...binding })), inReplyTo };
        }),
      );
    },
    async statuses(person) {
      const own = (await envelopes(person)).filter((envelope) => envelope.kind === 'status');
      return own.map(({ body }) => (JSON.parse(body) as { status: string }).status);
    },
    until,
    async within(what) {
      for (const end = performance.now() + GIVE_UP_MS; performance.now() < end; await clock.advance(STEP_MS)) {
        // Sockets and the store's writer are real: give them a moment of their own for each step of the clock.
        for (const step = performance.now() + STEP_MS / 5; performance.now() < step; await tick()) if (await what()) return;
      }
      throw new Error('it did not happen');
    },
    bound: () => until(() => (smsc.binds()[0]?.binds.length ?? 0) === (partners.get('e-plus')?.smpp.links[0]?.binds ?? 0)),
    stopSms: () => drained(parts.sms.close()),
    async restart() {
      await closeParts();
      parts = await openParts(folder);
    },
    async abandon() {
      smsc.dropLinks();
      parts.opener.close();
      await parts.engineRig.close();
      parts = await openParts(folder);
    },
    async close() {
      await closeParts();
      await smsc.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return rig;
}
