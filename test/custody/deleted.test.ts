import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeExpired } from '../../src/engine/envelopes/queue-operations.js';
import { dropExpiredTexts } from '../../src/engine/fallbacks/operations.js';
import { startRetention } from '../../src/events/retention.js';
import { createIdempotency } from '../../src/http/idempotency.js';
import { createKeyWrap } from '../../src/identity/index.js';
import { createLog } from '../../src/kernel/log.js';
import { createSandboxNumberVerification } from '../../src/sandbox/index.js';
import { forgetInbound } from '../../src/sms/inbound/operations.js';
import { defineOperation, openSqliteStore, type Store, settleNothing } from '../../src/store/index.js';
import { search } from '../../tools/gateway/scan.js';
import { createFakeClock } from '../fakes/clock.js';

/** Texts as they lie in their columns; what they stand for is sealed or wrapped, and is to be gone all the same. */
const [BODY, SEALED, ANSWER, INBOUND, EVENT] = [
  'an-envelopes-body-',
  'a-sealed-sms-text-',
  'a-stored-answer-',
  'an-answer-by-sms-',
  'an-event-',
].map((text) => text + randomBytes(12).toString('hex')) as [string, string, string, string, string];
const TOKEN = '+999574711471';
const EVERYTHING = [BODY, SEALED, ANSWER, INBOUND, EVENT, TOKEN];

let folder: string;
let store: Store;
const clock = createFakeClock();
const log = createLog('silent');
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'causeway-deleted-'));
  store = await openSqliteStore(folder);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const onDisk = () => new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
const found = () => new Set(search(onDisk(), EVERYTHING).map(({ where }) => where));

const plant = (sql: string) => defineOperation<object, undefined>({ name: 'test.plant', statements: [sql], settle: settleNothing });

async function plantEverything(): Promise<void> {
  await store.messages.run(
    plant(`INSERT INTO engine_envelope (device_id, seq, id, kind, suite, body, sent_at, expires_at)
      SELECT 'dev_1', 1, 'env_1', 'message', 's', '${BODY}', 0, 1 FROM :batch`),
    {},
  );
  await store.messages.run(
    plant(`INSERT INTO engine_sms_fallback (id, message_id, client_msg_id, state, mode, class, ref, partner_id, market, msisdn, line_epoch,
        sender_account_id, sender_device_id, sealed, armed_at, due_at, expires_at, updated_at, fact_id)
      SELECT 'fb_1', 'msg_1', 'c', 'claimed', 'sealed', 'chat', 'r', 'p', 'XS', '+999570000001', 0, 'a', 'd', '${SEALED}', 0, 0, 1, 0, 'f' FROM :batch`),
    {},
  );
  await store.messages.run(
    plant(`INSERT INTO sms_inbound (id, partner_id, link_id, sender, recipient, state, wrapped, content_hash, session_id, received_at, heard_at)
      SELECT 'mo_1', 'p', 'l', '+999570000001', '+9995790000001', 'unmatched', '${INBOUND}', 'h', 's', 0, 0 FROM :batch`),
    {},
  );
  const past = new Date(clock.now() - 1);
  await store.control.transact(async (tx) => {
    await tx.idempotencyKey.create({
      data: {
        partnerId: 'p',
        method: 'POST',
        path: '/v1/x',
        key: 'k',
        fingerprint: 'f',
        status: 201,
        headers: '{}',
        body: ANSWER,
        createdAt: past,
        expiresAt: past,
      },
    });
    await tx.numberVerificationToken.create({ data: { tokenHash: 'h', partnerId: 'p', msisdn: TOKEN, expiresAt: past } });
    const event = {
      partnerId: 'p',
      position: 1,
      id: 'evt_1',
      type: 'order.completed',
      subject: 'ord_1',
      summary: EVENT,
      facts: '[]',
      cloudEvent: EVENT,
    };
    await tx.event.create({ data: { ...event, at: past, recordedAt: new Date(clock.now() - 30 * 86_400_000 - 1) } });
  });
}

async function sweepEverything(): Promise<void> {
  await store.messages.run(removeExpired, { wallNow: clock.now() });
  await store.messages.run(dropExpiredTexts, { wallNow: clock.now() });
  await store.messages.run(forgetInbound, { before: clock.now() - 30 * 86_400_000 });
  const retention = startRetention({ control: store.control, clock, log });
  await retention.finished();
  await retention.close();
  const idempotency = createIdempotency({ store: store.control, clock, keyWrap: createKeyWrap(randomBytes(32)), log });
  await idempotency.sweep();
  await idempotency.close();
  await createSandboxNumberVerification({ control: store.control, clock }).sweep();
}

test('what expired, or is older than it is kept, is in no file once the sweeps and a checkpoint have run: not in a page, not in a log', async () => {
  await plantEverything();
  // Some of it has reached the files themselves, some only the logs.
  await store.checkpoint();
  expect(found()).toEqual(new Set(['gateway.db', 'messages.db']));
  await sweepEverything();
  await store.checkpoint();
  expect(found()).toEqual(new Set());
});

test('also when it never left the log', async () => {
  await plantEverything();
  expect(found()).toEqual(new Set(['gateway.db-wal', 'messages.db-wal']));
  await sweepEverything();
  expect(found(), 'the sweeps alone leave the log as it was').toEqual(new Set(['gateway.db-wal', 'messages.db-wal']));
  await store.checkpoint();
  expect(found()).toEqual(new Set());
});

test('a checkpoint neither waits for a long reader nor fails; the next one finishes', async () => {
  await plantEverything();
  const { default: Database } = await import('better-sqlite3');
  const reader = new Database(join(folder, 'messages.db'), { readonly: true });
  reader.exec('BEGIN');
  reader.prepare('SELECT COUNT(*) FROM engine_envelope').get();
  await sweepEverything();
  await store.checkpoint();
  expect(found()).toContain('messages.db-wal');
  reader.close();
  await store.checkpoint();
  expect(found()).toEqual(new Set());
});
