import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../../src/kernel/log.js';
import type { Partner } from '../../../src/partners/index.js';
import { type MessageIdForm, plainMessageId, type ReceiptId } from '../../../src/smpp/index.js';
import type { SmsContext } from '../../../src/sms/context.js';
import { createPartFinder, type FindPart, linksOf, type ReceiptLink } from '../../../src/sms/receipts/find-part.js';
import { createIdForms, type IdForms } from '../../../src/sms/receipts/id-forms.js';
import { createTasks } from '../../../src/sms/tasks.js';
import { defineOperation, type Store, settleNothing } from '../../../src/store/index.js';
import { createFakeClock } from '../../fakes/clock.js';
import { openTestStore } from '../../fakes/store.js';

let store: Store;
let forms: IdForms;
let find: FindPart;
let idle: () => Promise<void>;

beforeEach(async () => {
  store = await openTestStore();
  reopen();
});
afterEach(() => store.close());

function reopen(): void {
  const log = createLog('silent');
  const tasks = createTasks(log);
  const context = { store: store.messages, clock: createFakeClock(), tasks, log } as unknown as SmsContext;
  forms = createIdForms(context);
  find = createPartFinder(context, forms);
  idle = () => tasks.settled();
}

const aPartner = (id: string, links: string[], messageIdForm: MessageIdForm | 'auto' = 'auto') =>
  ({
    id,
    smpp: { links: links.map((link) => ({ id: link, messageIdForm, destination: { ton: 1, npi: 1, format: 'international' } })) },
  }) as unknown as Partner;
const linkOf = (partner: Partner, index = 0): ReceiptLink => linksOf(partner)[index] as ReceiptLink;
const ONE = aPartner('e-plus', ['main']);

interface Sent {
  link?: ReceiptLink;
  id: string;
  recipient: string;
  answered?: string;
  state?: string;
  at?: number;
}

const insert = defineOperation<Record<string, string | number | null>, undefined>({
  name: 'test.sent',
  statements: [
    `INSERT INTO sms_message (id, partner_id, market, link_id, mode, class, priority, recipient, sender, takes_reply, correlator, state,
       pdu_count, reference, attempts, resends, created_at, updated_at, queued_at, expires_at, not_before, untold, version)
     SELECT b.value ->> 'id', b.value ->> 'partnerId', 'XS', b.value ->> 'linkId', 'text', 'chat', 1, b.value ->> 'recipient', 'CAUSEWAY', 0, 'r',
       b.value ->> 'state', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1 FROM :batch WHERE true`,
    `INSERT INTO sms_part (sms_id, number, attempt, outcome, link_id, bind_id, smsc_message_id, smsc_key, at)
     SELECT b.value ->> 'id', 1, 1, 'accepted', b.value ->> 'linkKey', 'b', b.value ->> 'answered', b.value ->> 'key', CAST(b.value ->> 'at' AS BIGINT)
     FROM :batch WHERE b.value ->> 'answered' IS NOT NULL`,
  ],
  settle: settleNothing,
});

const sent = ({ link = linkOf(ONE), id, recipient, answered, state = 'submitted', at = 0 }: Sent) =>
  store.messages.run(insert, {
    ...{ id, partnerId: link.partner.id, linkId: link.config.id, linkKey: link.key, recipient, state, at },
    answered: answered ?? null,
    key: answered === undefined ? null : plainMessageId(answered),
  });

const receipt = (id: string, recipient = '999571000001', sender = 'CAUSEWAY', from: ReceiptId['from'] = 'text') => ({
  id: `receipt of ${id}`,
  messageIds: [{ id, from }],
  recipient,
  sender,
});
const foundFor = async (given: ReturnType<typeof receipt>, link = linkOf(ONE)): Promise<string | undefined> => {
  const found = await find(link, given);
  return found === 'ambiguous' ? found : found?.part.smsId;
};

describe('whose a receipt is', () => {
  test.each([
    ['as we sent it', '491701234567', 'a'],
    ['with a plus', '+491701234567', 'a'],
    ['with zeros', '00491701234567', 'a'],
    ['within its country', '01701234567', 'a'],
    ['within its country, without a trunk prefix', '1701234567', 'a'],
    ['of somebody else', '491701234568', undefined],
    ['of somebody else within the country', '01701234568', undefined],
    ['too short to tell', '34567', undefined],
  ])('the number is written %s', async (_how, written, expected) => {
    await sent({ id: 'a', recipient: '+491701234567', answered: '7' });
    expect(await foundFor(receipt('7', written))).toBe(expected);
  });

  test('addresses that stand as in the original, and none at all beside the very same id', async () => {
    await sent({ id: 'a', recipient: '+999571000001', answered: '9f3a' });
    expect(await foundFor(receipt('9f3a', 'CAUSEWAY', '999571000001'))).toBe('a');
    expect(await foundFor(receipt('9f3a', '', ''))).toBe('a');
    expect(await foundFor(receipt('40762', '', ''))).toBeUndefined();
  });

  test('another partner or link with the same id is not asked', async () => {
    const other = linkOf(aPartner('hub', ['main']));
    await sent({ link: other, id: 'theirs', recipient: '+999571000001', answered: '7' });
    expect(await foundFor(receipt('7'))).toBeUndefined();
  });
});

describe('a sibling link', () => {
  const TWO = aPartner('e-plus', ['main', 'backup']);
  const [main, backup] = [linkOf(TWO, 0), linkOf(TWO, 1)];

  test('has the message, where its own has none', async () => {
    await sent({ link: backup, id: 'a', recipient: '+999571000001', answered: '7' });
    expect(await foundFor(receipt('7'), main)).toBe('a');
    await sent({ link: main, id: 'b', recipient: '+999571000001', answered: '7' });
    expect(await foundFor(receipt('7'), main)).toBe('b');
  });

  test('has not, while the answer that would tell may still come over its own', async () => {
    await sent({ link: backup, id: 'a', recipient: '+999571000001', answered: '7' });
    await sent({ link: main, id: 'b', recipient: '+999571000001', state: 'submitting' });
    expect(await foundFor(receipt('7'), main)).toBeUndefined();
    expect(await foundFor(receipt('7', '999571000002'), main)).toBeUndefined();
  });

  test('has not, when its message has ended: another SMSC counts alike', async () => {
    await sent({ link: backup, id: 'a', recipient: '+999571000001', answered: '7', state: 'delivered' });
    expect(await foundFor(receipt('7'), main)).toBeUndefined();
  });
});

describe('what is learned of a link', () => {
  const see = async (form: MessageIdForm, times: number, from: ReceiptId['from'] = 'text'): Promise<boolean[]> => {
    const told: boolean[] = [];
    for (let n = 0; n < times; n++) told.push(await forms.saw(linkOf(ONE), { from, form }));
    await idle();
    return told;
  };
  const known = async (link = linkOf(ONE)) => forms.of(link);

  test('counts from the third that agrees, for each place by itself, and is kept', async () => {
    expect(await see('decimal', 4)).toEqual([false, false, true, false]);
    await see('text', 3, 'tlv');
    reopen();
    expect(await known()).toEqual({ learned: { tlv: 'text', text: 'decimal' } });
    expect(await known(linkOf(aPartner('hub', ['main'])))).toEqual({ learned: { tlv: undefined, text: undefined } });
  });

  test('is given up when the link says otherwise, and never there while it says both', async () => {
    await see('decimal', 10);
    await see('hex', 2);
    expect(await known()).toMatchObject({ learned: { text: undefined } });
    expect(await see('hex', 5)).toContain(true);
    expect(await known()).toMatchObject({ learned: { text: 'hex' } });
    for (let n = 0; n < 20; n++) await see(n % 2 === 0 ? 'text' : 'decimal', 1);
    expect(await known()).toMatchObject({ learned: { text: undefined } });
  });

  test('is not asked for where partner.yaml says the form', async () => {
    const fixed = linkOf(aPartner('e-plus', ['main'], 'hex'));
    expect(await forms.saw(fixed, { from: 'text', form: 'text' })).toBe(false);
    expect(await forms.of(fixed)).toEqual({ configured: 'hex' });
  });

  test('leads to another message than the same id does', async () => {
    await sent({ id: 'a', recipient: '+999571000001', answered: '100' });
    await sent({ id: 'b', recipient: '+999571000001', answered: '64' });
    expect(await foundFor(receipt('100'))).toBe('a');
    await see('decimal', 3);
    expect(await foundFor(receipt('100'))).toBe('b');
  });
});

// Links, partners and handsets whose ids are each other's in every form: whatever a receipt says, it is its own handset's and its own partner's.
test('an id never finds a message of another handset, nor of another partner', { timeout: 120_000 }, async () => {
  const partners = [aPartner('e-plus', ['main', 'backup']), aPartner('hub', ['main'])];
  const links = partners.flatMap(linksOf);
  const handsets = ['+999571000001', '+999571000002', '+499571000001'];
  const id = fc
    .tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom(10, 16), fc.integer({ min: 0, max: 2 }), fc.boolean())
    .map(([number, base, zeros, isUpper]) => {
      const text = '0'.repeat(zeros) + number.toString(base);
      return isUpper ? text.toUpperCase() : text;
    });
  const state = fc.constantFrom('submitting', 'submitted', 'unknown', 'delivered');
  const message = fc.record({ link: fc.nat(links.length - 1), to: fc.nat(handsets.length - 1), answered: id, state });
  const asked = fc.record({ link: fc.nat(links.length - 1), to: fc.nat(handsets.length - 1), id, from: fc.constantFrom('tlv', 'text') });
  const owners = new Map<string, { partnerId: string; recipient: string }>();
  let count = 0;
  let found = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 12 }), fc.array(asked, { minLength: 1, maxLength: 12 }), async (messages, receipts) => {
      for (const each of messages) {
        const link = links[each.link];
        const recipient = handsets[each.to] ?? '';
        const smsId = `sms_${++count}`;
        owners.set(smsId, { partnerId: link?.partner.id ?? '', recipient });
        if (link) await sent({ link, id: smsId, recipient, answered: each.answered, state: each.state, at: count });
      }
      for (const each of receipts) {
        const link = links[each.link];
        const recipient = handsets[each.to] ?? '';
        const match = link && (await find(link, receipt(each.id, recipient.slice(1), 'CAUSEWAY', each.from)));
        if (match === undefined || match === 'ambiguous') continue;
        found++;
        expect(owners.get(match.part.smsId)).toEqual({ partnerId: link?.partner.id, recipient });
        if (match.evidence) await forms.saw(link as ReceiptLink, match.evidence);
      }
    }),
    { numRuns: 80, seed: 11 },
  );
  await idle();
  expect(found).toBeGreaterThan(50);
});
