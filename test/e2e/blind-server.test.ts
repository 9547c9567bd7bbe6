import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMessagingClient, type IncomingMessage, type MessagingClient } from '../../sdks/messaging/index.js';
import { createCausewayClient } from '../../sdks/typescript/index.js';
import { freshMsisdn } from '../../tools/demo/numbers.js';
import { playStory, type StoryResult, type StoryStep } from '../../tools/demo/story.js';
import { startWebhookReceiver } from '../../tools/demo/webhook-receiver.js';
import { dumpDatabase } from '../../tools/gateway/dump-database.js';
import { type GatewayProcess, startGateway } from '../../tools/gateway/gateway-process.js';
import { search } from '../../tools/gateway/scan.js';
import { createTestDatabase, testDatabaseUrl } from '../fakes/database.js';
import { createTestHome, type TestHome } from '../fakes/home.js';
import { findServices } from '../fakes/services.js';

const TEST_MS_MAX = 60_000;
const { urls, skipped } = await findServices('postgres');

let home: TestHome;
let gateway: GatewayProcess;
let result: StoryResult;
let steps: StoryStep[];
/** Everything the gateway has written anywhere, when the fallback was armed and when the story was over. */
let whenArmed: Map<string, Buffer>;
let atTheEnd: Map<string, Buffer>;

/** Where things are, on either database. */
const PLACES = testDatabaseUrl
  ? {
      all: ['engine_envelope', 'engine_sms_fallback', 'sms_message', 'sms_inbound', 'event', 'idempotency_key', 'outbox', 'control_outbox'],
      ofMessages: 'engine_sms_fallback',
      ofEvents: 'event',
      ofSms: 'sms_message',
    }
  : { all: ['gateway.db', 'messages.db', 'messages.db-wal'], ofMessages: 'messages', ofEvents: 'gateway', ofSms: 'messages' };

/** Every file of `data/` and `keys/`, the whole of a PostgreSQL database, and the log at its most talkative. */
const written = async (): Promise<Map<string, Buffer>> => new Map([...(await home.written()), ['the log', Buffer.from(gateway.output())]]);
const partner = () => createCausewayClient({ serverUrl: home.url, ...home.credentials() });

async function everySms(): Promise<string[]> {
  const texts: string[] = [];
  for await (const sms of partner().listSandboxSms.items({ query: { limit: 200 } })) texts.push(sms.text);
  return texts;
}

beforeAll(async () => {
  home = await createTestHome();
  gateway = await startGateway(home, { env: { CAUSEWAY_LOG_LEVEL: 'trace' } });
  const receiver = await startWebhookReceiver();
  steps = [];
  try {
    result = await playStory({
      url: home.url,
      ...home.credentials(),
      receiver,
      async onStep(step) {
        steps.push(step);
        if (step.step === 'message sent, fallback armed') whenArmed = await written();
      },
    });
    atTheEnd = await written();
  } finally {
    await receiver.close();
  }
}, TEST_MS_MAX);
afterAll(async () => {
  await gateway.stop();
  await home.remove();
});

describe('the server is blind', () => {
  test('what is searched is where everything is: both databases with their WALs or every table, keys, and a log of the story', () => {
    const names = new Set([...atTheEnd.keys()].map((file) => basename(file)));
    for (const name of [...PLACES.all, 'sandbox-smsc.jsonl', 'master.key']) expect(names).toContain(name);
    const idOf = (step: string) => steps.find((one) => one.step === step)?.id ?? 'no such step';
    const placesOf = (id: string, places: Map<string, Buffer>) => search(places, [id]).map(({ where }) => basename(where).split('.db')[0]);
    expect(placesOf(idOf('message sent, fallback armed'), whenArmed)).toContain(PLACES.ofMessages);
    expect(placesOf(result.smsId, atTheEnd)).toEqual(expect.arrayContaining([PLACES.ofEvents, PLACES.ofSms, 'the log']));
  });

  test('while the fallback is armed, neither the chat nor the sealed text is anywhere', () => {
    expect(search(whenArmed, [...result.chatTexts, result.smsText])).toEqual([]);
  });

  test('after it fired and was answered, they still are nowhere; only the handset, by way of the SMSC, has the SMS', async () => {
    expect(search(atTheEnd, [...result.chatTexts, result.smsText])).toEqual([]);
    const onHandsets = await everySms();
    expect(onHandsets.filter((text) => text.includes(result.smsText))).toHaveLength(1);
    expect(onHandsets.filter((text) => result.chatTexts.some((chat) => text.includes(chat)))).toEqual([]);
  });

  test('when the app copy was acknowledged first, the sealed text has left no trace and no SMS goes out', {
    timeout: TEST_MS_MAX,
  }, async () => {
    const [chatText, smsText] = ['The cat is at the neighbours until Monday', 'The cat: ask the neighbours, until Monday'];
    const [line = 'no line'] = result.msisdns;
    const friend = await registerPhone('another friend’s phone', freshMsisdn());
    const her = await registerPhone('her new phone', line);
    const heard: IncomingMessage[] = [];
    her.on('message', (message) => void heard.push(message));
    try {
      const sent = await friend.send({ to: line, text: chatText, fallback: { mode: 'sealed', class: 'chat', text: smsText } });
      const armed = await written();
      await her.drainQueue();
      expect(heard.map(({ text }) => text)).toEqual([chatText]);
      await partner().moveSandboxClock({ body: { advanceSeconds: 301 } });
      const fallback = await partner().getFallback({ path: { fallbackId: sent.fallback?.id ?? '' } });
      expect(fallback.state).toBe('cancelled');
      expect(search(armed, [chatText, smsText])).toEqual([]);
      expect(search(await written(), [chatText, smsText])).toEqual([]);
      expect((await everySms()).filter((text) => text.includes(smsText))).toEqual([]);
    } finally {
      await Promise.all([friend, her].map((phone) => phone.close()));
    }
  });

  test('nor are they after the gateway has closed and the databases are whole files', { timeout: TEST_MS_MAX }, async () => {
    await gateway.stop();
    const afterwards = await written();
    expect(search(afterwards, [...result.chatTexts, result.smsText])).toEqual([]);
    expect(search(afterwards, [result.smsId]).length).toBeGreaterThan(0);
  });
});

describe('the search finds what is there', () => {
  const planted = 'A planted sentence: ¿dónde está?';
  const forms: [string, Buffer][] = [
    ['as it is', Buffer.from(`{"msg":"${planted}"}`)],
    ['in UTF-16', Buffer.from(planted, 'utf16le')],
    ['in an SMPP body of UCS-2', Buffer.from(planted, 'utf16le').swap16()],
    ['in base64', Buffer.from(Buffer.from(planted).toString('base64'))],
    ['within what is in base64url', Buffer.from(Buffer.from(`{"text":"${planted}"}`).toString('base64url'))],
    ['within other base64', Buffer.from(Buffer.from(`to: ${planted} end`, 'utf16le').toString('base64'))],
    ['in hexadecimal digits', Buffer.from(Buffer.from(planted).toString('hex'))],
    ['in a URL', Buffer.from(`/v1/sms?text=${encodeURIComponent(planted)}`)],
  ];
  test.each(forms)('a text %s', (_, content) => {
    expect(search(new Map([['a file', content]]), [planted]).length).toBeGreaterThan(0);
  });

  test.skipIf(skipped)(`a text in a column of any kind of any table of PostgreSQL${skipped ? ` (${skipped})` : ''}`, async () => {
    const database = await createTestDatabase(urls.postgres);
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      expect(search(await dumpDatabase(database.url), [planted])).toEqual([]);
      await client.query('CREATE SCHEMA aside; CREATE TABLE aside."Planted one" (id INTEGER, "the value" JSONB, octets BYTEA)');
      await client.query('INSERT INTO aside."Planted one" VALUES (1, $1, NULL), (2, NULL, $2)', [
        JSON.stringify({ text: planted }),
        Buffer.from(planted),
      ]);
      await client.query(`INSERT INTO outbox (id, topic, payload, created_at) VALUES ('a', 'test', $1, 0)`, [`a "${planted}"\n\\`]);
      const hits = search(await dumpDatabase(database.url), [planted]);
      expect(hits.map(({ where, form }) => `${where}: ${form}`).sort()).toEqual([
        'Planted one: UTF-8',
        'Planted one: hexadecimal',
        'outbox: UTF-8',
      ]);
    } finally {
      await client.end();
      await database.drop();
    }
  });

  test('a text in a row that only the WAL has yet, and in a row that was deleted without secure_delete', () => {
    const folder = mkdtempSync(join(tmpdir(), 'causeway-scan-'));
    const database = new Database(join(folder, 'planted.db'));
    const places = () => new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
    try {
      database.pragma('journal_mode=WAL');
      database.exec('CREATE TABLE planted (text TEXT)');
      database.prepare('INSERT INTO planted VALUES (?)').run(planted);
      expect(search(places(), [planted]).map(({ where }) => where)).toEqual(['planted.db-wal']);
      database.exec('DELETE FROM planted');
      database.pragma('wal_checkpoint(TRUNCATE)');
      expect(search(places(), [planted]).map(({ where }) => where)).toEqual(['planted.db']);
    } finally {
      database.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** A phone that registered by its operator's number verification and has its keys up. */
async function registerPhone(deviceName: string, msisdn: string): Promise<MessagingClient> {
  const phone = createMessagingClient({ url: home.url });
  const { token } = await partner().createNumberVerificationToken({ body: { msisdn } });
  await phone.register({ msisdn, verificationToken: token, deviceName, platform: 'bot', language: 'de' });
  await phone.uploadKeys();
  return phone;
}
