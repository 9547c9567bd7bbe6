import { afterEach, beforeEach, expect, test } from 'vitest';
import { createLog } from '../../src/kernel/log.js';
import type { DeliverSm } from '../../src/smpp/index.js';
import { encodeGsm, tlv } from '../../src/smpp/index.js';
import type { SmsContext } from '../../src/sms/context.js';
import { createInbound, INBOUND_PURPOSE, type Inbound } from '../../src/sms/inbound/inbound.js';
import { forgetInbound } from '../../src/sms/inbound/operations.js';
import type { Bind, OperatorLink } from '../../src/sms/links/open-links.js';
import { createSerial } from '../../src/sms/serial.js';
import { defineOperation, type Store, settleNothing } from '../../src/store/index.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { openTestStore } from '../fakes/store.js';
import { MASTER } from './rig.js';

let store: Store;
let clock: FakeClock;
let inbound: Inbound;
/** The session that the bind has now, and those that are up. */
let session: string;
let live: Set<string>;

beforeEach(async () => {
  store = await openTestStore();
  clock = createFakeClock();
  session = 's1';
  live = new Set(['s1']);
  const context = {
    store: store.messages,
    clock,
    domainClock: clock,
    log: createLog('silent'),
    serial: createSerial(),
  } as unknown as SmsContext;
  const isLive = (sessionId: string) => live.has(sessionId);
  inbound = createInbound({ context, keyWrap: MASTER, hashKey: Buffer.alloc(32, 3), isLive, onReceived: () => undefined });
});
afterEach(() => store.close());

const link = {
  key: 'e-plus/main',
  partner: { id: 'e-plus', sms: { senders: [{ address: '+9995790000001' }] } },
  config: { id: 'main', dataCodingDefault: 'gsm0338' },
} as unknown as OperatorLink;
const bind = { id: 'main/1', sessionId: () => session } as unknown as Bind;

const anMo = (shortMessage: Buffer, more: Partial<DeliverSm> = {}) =>
  ({
    command: 'deliver_sm',
    sourceAddr: '999571234567',
    destinationAddr: '9995790000001',
    esmClass: 0,
    dataCoding: 0,
    tlvs: [],
    shortMessage,
    ...more,
  }) as unknown as DeliverSm;
const gsm = (text: string) => encodeGsm(text) ?? Buffer.alloc(0);
const part = (number: number, text: string, reference = 9, total = 3) =>
  anMo(Buffer.concat([Buffer.from([5, 0, 3, reference, total, number]), gsm(text)]), { esmClass: 0x40 });
const take = (pdu: DeliverSm) => inbound.take(link, bind, pdu);
/** The link goes down and comes back: what was answered last may not have arrived. */
const relink = () => {
  session = `s${live.size + 1}${session}`;
  live = new Set([session]);
};

async function texts(): Promise<string[]> {
  const rows = await store.messages.read<{ id: string; wrapped: string }>('SELECT id, wrapped FROM sms_inbound ORDER BY heard_at, id');
  return rows.map(({ id, wrapped }) => Buffer.from(MASTER.unwrap(wrapped, `${INBOUND_PURPOSE}:${id}`)).toString('utf8'));
}

test('parts are joined in their order whatever order they come in, and one that comes twice counts once', async () => {
  for (const pdu of [part(3, 'c'), part(1, 'a'), part(3, 'c'), part(2, 'b')]) await take(pdu);
  expect(await texts()).toEqual(['abc']);
  expect(await store.messages.read('SELECT count(*) AS n FROM sms_inbound_part WHERE wrapped IS NOT NULL')).toEqual([{ n: 0 }]);
});

test('parts that come at the same moment are joined once', async () => {
  await Promise.all([part(2, 'b'), part(3, 'c'), part(1, 'a')].map(take));
  expect(await texts()).toEqual(['abc']);
});

test('parts by SAR are joined, and a character cut between two parts is whole again', async () => {
  const whole = Buffer.from('a👋b', 'utf16le').swap16();
  const sar = (number: number) => [tlv('sar_msg_ref_num', 7), tlv('sar_total_segments', 2), tlv('sar_segment_seqnum', number)];
  await take(anMo(whole.subarray(4), { dataCoding: 8, tlvs: sar(2) }));
  await take(anMo(whole.subarray(0, 4), { dataCoding: 8, tlvs: sar(1) }));
  expect(await texts()).toEqual(['a👋b']);
});

test('a message that is delivered again after the link went down is the same; over a link that stood it is another', async () => {
  await take(anMo(gsm('ja')));
  await take(anMo(gsm('ja')));
  expect(await texts()).toEqual(['ja', 'ja']);
  relink();
  await take(anMo(gsm('ja')));
  expect(await texts()).toHaveLength(2);
  await take(anMo(gsm('nein')));
  expect(await texts()).toHaveLength(3);
  relink();
  await clock.advance(600_001);
  await take(anMo(gsm('ja')));
  expect(await texts()).toHaveLength(4);
});

test('the last part again after the link went down joins nothing again, and a reference used again is another message', async () => {
  for (const pdu of [part(1, 'a'), part(2, 'b'), part(3, 'c')]) await take(pdu);
  relink();
  await take(part(3, 'c'));
  expect(await texts()).toEqual(['abc']);
  for (const pdu of [part(1, 'x'), part(2, 'y'), part(3, 'z')]) await take(pdu);
  expect((await texts()).sort()).toEqual(['abc', 'xyz']);
});

test('parts of another handset never join', async () => {
  await take(part(1, 'a'));
  await take(part(2, 'b'));
  await take({ ...part(3, 'c'), sourceAddr: '999571234568' });
  expect(await texts()).toEqual([]);
});

test('what ended is forgotten by its age, however much it is; what waits for its chat is not', async () => {
  const old = clock.now();
  for (let n = 0; n < 3; n++) await take(anMo(gsm(`unmatched ${n}`)));
  const waiting = await store.messages.read<{ id: string }>('SELECT id FROM sms_inbound ORDER BY id LIMIT 1');
  const end = defineOperation<{ id: string }, undefined>({
    name: 'test.end',
    statements: [`UPDATE sms_inbound SET state = 'unmatched' WHERE id NOT IN (SELECT b.value ->> 'id' FROM :batch)`],
    settle: settleNothing,
  });
  await store.messages.run(end, { id: waiting[0]?.id ?? '' });
  await clock.advance(1_000);
  await take(anMo(gsm('later')));
  const more = defineOperation<{ at: number }, undefined>({
    name: 'test.more',
    statements: [
      `INSERT INTO sms_inbound (id, partner_id, link_id, sender, recipient, state, content_hash, session_id, received_at, heard_at)
       SELECT 'mo_' || CAST(b.key AS TEXT), 'p', 'l', 's', 'r', 'unmatched', 'h', 's', 0, CAST(b.value ->> 'at' AS BIGINT) FROM :batch`,
    ],
    settle: settleNothing,
  });
  await Promise.all(Array.from({ length: 501 }, () => store.messages.run(more, { at: old })));
  const rounds: boolean[] = [];
  do rounds.push(await store.messages.run(forgetInbound, { before: old + 1 }));
  while (rounds.at(-1));
  expect(rounds).toEqual([true, false]);
  const left = await store.messages.read<{ state: string; heard_at: number }>('SELECT state, heard_at FROM sms_inbound ORDER BY heard_at');
  expect(left.map(({ state, heard_at }) => [state, Number(heard_at) - old])).toEqual([
    ['received', 0],
    ['received', 1_000],
  ]);
});
