import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../src/kernel/log.js';
import type { DeliverSm } from '../../src/smpp/index.js';
import { encodeGsm, tlv } from '../../src/smpp/index.js';
import type { SmsContext } from '../../src/sms/context.js';
import { createInbound, type Inbound } from '../../src/sms/inbound/inbound.js';
import { forgetInbound, joinInbound } from '../../src/sms/inbound/operations.js';
import { INBOUND_PURPOSE } from '../../src/sms/inbound/purposes.js';
import { PARTS_WAIT_MS } from '../../src/sms/inbound/reassembly.js';
import type { Bind, OperatorLink } from '../../src/sms/links/open-links.js';
import { createSerial } from '../../src/sms/serial.js';
import { defineOperation, type Store, settleNothing } from '../../src/store/index.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { openTestStore } from '../fakes/store.js';
import { MASTER } from './rig.js';

let store: Store;
let clock: FakeClock;
let inbound: Inbound;
let reopen: () => void;
let received: string[];
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
    partners: { get: () => ({ smpp: { links: [link.config] } }) },
    log: createLog('silent'),
    serial: createSerial(),
  } as unknown as SmsContext;
  const isLive = (sessionId: string) => live.has(sessionId);
  received = [];
  const onReceived = (id: string) => void received.push(id);
  reopen = () => {
    inbound = createInbound({
      context: { ...context, serial: createSerial() },
      keyWrap: MASTER,
      hashKey: Buffer.alloc(32, 3),
      isLive,
      onReceived,
    });
  };
  reopen();
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

test('parts say each which tables it is written with, and bring elements of their own', async () => {
  const withElements = (number: number, elements: string, octets: string) => {
    const header = Buffer.from(`0003090${2}0${number}${elements}`, 'hex');
    return anMo(Buffer.concat([Buffer.from([header.length]), header, Buffer.from(octets, 'hex')]), { esmClass: 0x40 });
  };
  // Turkish locking shift: 1d is ş. The second part has no element: there 1d is æ.
  await take(withElements(2, '', '1d'));
  await take(withElements(1, '250101' + '0a03000510', '1d'));
  expect(await texts()).toEqual(['şæ']);
});

test('parts in different alphabets are read each in its own, and an escape cut between two is whole', async () => {
  const body = (number: number, octets: Buffer) => Buffer.concat([Buffer.from([5, 0, 3, 7, 3, number]), octets]);
  await take(anMo(body(1, Buffer.from([0x61, 0x1b])), { esmClass: 0x40 }));
  await take(anMo(body(3, Buffer.from('ж', 'utf16le').swap16()), { esmClass: 0x40, dataCoding: 8 }));
  await take(anMo(body(2, Buffer.from([0x65])), { esmClass: 0x40 }));
  expect(await texts()).toEqual(['a€ж']);
});

test('ports in the header set a message apart; the order in which its elements come does not matter', async () => {
  const withPorts = (number: number, elements: string[]) => {
    const header = Buffer.from(elements.join('').replace('NN', `0${number}`), 'hex');
    return anMo(Buffer.concat([Buffer.from([header.length]), header, gsm(String(number))]), { esmClass: 0x40 });
  };
  await take(withPorts(1, ['00030902NN', '05040b8423f0']));
  await take(withPorts(2, ['00030902NN']));
  expect(await texts()).toEqual([]);
  await take(withPorts(2, ['05040b8423f0', '00030902NN']));
  expect(await texts()).toEqual(['12']);
});

test('a data_sm brings a message, or a part of one, in its payload', async () => {
  const dataSm = (octets: Buffer, esmClass = 0) => {
    const { shortMessage: _, ...rest } = anMo(Buffer.alloc(0), { esmClass, tlvs: [tlv('message_payload', octets)] });
    return rest as DeliverSm;
  };
  await take(dataSm(gsm('hi')));
  await take(dataSm(Buffer.concat([Buffer.from([5, 0, 3, 1, 2, 2]), gsm('b')]), 0x40));
  await take(dataSm(Buffer.concat([Buffer.from([5, 0, 3, 1, 2, 1]), gsm('a')]), 0x40));
  expect((await texts()).sort()).toEqual(['ab', 'hi']);
});

test('septets that come packed are taken apart part by part', async () => {
  const packed = { ...link, config: { ...link.config, packedSeptets: true } } as OperatorLink;
  // "hello" behind a header of 6 octets: one bit of padding.
  const hello = Buffer.from('d06536fb0d', 'hex');
  for (const number of [2, 1]) {
    await inbound.take(packed, bind, anMo(Buffer.concat([Buffer.from([5, 0, 3, 4, 2, number]), hello]), { esmClass: 0x40 }));
  }
  expect(await texts()).toEqual(['hellohello']);
});

test('octets for a program are kept as they came', async () => {
  await take(anMo(Buffer.from([0, 0xff, 0x80]), { dataCoding: 4 }));
  const [row] = await store.messages.read<{ id: string; content: string; wrapped: string }>('SELECT id, content, wrapped FROM sms_inbound');
  expect(row?.content).toBe('binary');
  expect(Buffer.from(MASTER.unwrap(row?.wrapped ?? '', `${INBOUND_PURPOSE}:${row?.id}`)).toString('hex')).toBe('00ff80');
});

describe('when the rest does not come', () => {
  const missing = () => store.messages.read<{ n: number }>('SELECT missing_parts AS n FROM sms_inbound ORDER BY heard_at, id');

  test('what came is delivered after a while, with its gaps, and says how much is missing', async () => {
    for (const pdu of [part(2, 'b', 9, 5), part(1, 'a', 9, 5), part(5, 'e', 9, 5)]) await take(pdu);
    await clock.advance(PARTS_WAIT_MS - 1);
    await inbound.endIncomplete();
    expect(await texts()).toEqual([]);
    await clock.advance(1);
    await inbound.endIncomplete();
    await inbound.endIncomplete();
    expect(await texts()).toEqual(['ab […] e']);
    expect((await missing()).map(({ n }) => Number(n))).toEqual([2]);
    expect(received).toHaveLength(1);
  });

  test('each part begins the wait again, and the last in time joins all', async () => {
    for (const [number, text] of [
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ] as const) {
      await take(part(number, text));
      await clock.advance(PARTS_WAIT_MS - 1);
      await inbound.endIncomplete();
    }
    expect(await texts()).toEqual(['abc']);
    expect((await missing()).map(({ n }) => Number(n))).toEqual([0]);
  });

  test('a part that comes too late is not lost', async () => {
    await take(part(1, 'a'));
    await take(part(3, 'c'));
    await clock.advance(PARTS_WAIT_MS);
    await inbound.endIncomplete();
    await take(part(2, 'b'));
    await clock.advance(PARTS_WAIT_MS);
    await inbound.endIncomplete();
    expect(await texts()).toEqual(['a […] c', '[…] b […]']);
  });

  test('a reference that is used again ends the message before it, and mixes nothing', async () => {
    await take(part(1, 'a'));
    await take(part(2, 'b'));
    for (const pdu of [part(1, 'x'), part(2, 'y'), part(3, 'z')]) await take(pdu);
    expect((await texts()).sort()).toEqual(['ab […]', 'xyz']);
  });

  test('a part that comes while another node joins what there was stays for its own message', async () => {
    await take(part(1, 'a'));
    const [row] = await store.messages.read<{ group_key: string; content_hash: string }>(
      'SELECT group_key, content_hash FROM sms_inbound_part',
    );
    const aJoin = (id: string, parts: { number: number; contentHash: string }[]) => ({
      ...{ id, partnerId: 'e-plus', linkId: 'main', sender: 's', recipient: 'r', content: 'text' as const, missingParts: 0, wrapped: 'w' },
      ...{ contentHash: 'h', sessionId: 's1', receivedAt: 0, heardAt: 0, groupKey: row?.group_key ?? '', parts, partCount: parts.length },
    });
    const first = { number: 1, contentHash: row?.content_hash ?? '' };
    expect(await store.messages.run(joinInbound, aJoin('mo_1', [first, { number: 2, contentHash: 'not there' }]))).toBe(false);
    expect(await store.messages.read('SELECT number FROM sms_inbound_part WHERE inbound_id IS NULL AND wrapped IS NOT NULL')).toHaveLength(
      1,
    );
    const joined = await Promise.all(['mo_2', 'mo_3'].map((id) => store.messages.run(joinInbound, aJoin(id, [first]))));
    expect(joined.sort()).toEqual([false, true]);
    expect(await store.messages.read('SELECT id FROM sms_inbound')).toHaveLength(1);
  });

  test('after a restart it goes on where it was', async () => {
    await take(part(1, 'a'));
    reopen();
    await take(part(3, 'c'));
    reopen();
    await clock.advance(PARTS_WAIT_MS);
    await inbound.endIncomplete();
    expect(await texts()).toEqual(['a […] c']);
  });
});

test('nothing of a part is readable at rest', async () => {
  await take(part(1, 'a secret of hers'));
  const rows = await store.messages.read('SELECT * FROM sms_inbound_part');
  expect(JSON.stringify(rows)).not.toContain('secret');
  expect(JSON.stringify(rows)).not.toContain(Buffer.from('a secret of hers').toString('base64url').slice(4, -4));
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
