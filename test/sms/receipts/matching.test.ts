import { afterEach, expect, test } from 'vitest';
import { newId } from '../../../src/kernel/ids.js';
import { type MessageFields, messageContent, type PduOf, type Tlv, tlv } from '../../../src/smpp/index.js';
import type { NewTextSms } from '../../../src/sms/index.js';
import { openScriptedSmsc, type ScriptedSmsc } from '../../fakes/scripted-smsc.js';
import { openSmsRig, type SmsRig } from '../rig.js';

let rig: SmsRig;
let smsc: ScriptedSmsc;
afterEach(async () => {
  await rig.close();
  await smsc.close();
}, 60_000);

/** The habits in which SMSCs differ; each message of the test meets one of each. */
const HABITS = {
  /** Where the receipt names its message. `both`: the parameter as in the response, the text in the receipt's own form. */
  carrier: ['text', 'tlv', 'tlv without NUL', 'both'],
  response: ['hex', 'decimal'],
  receipt: ['hex', 'decimal'],
  letters: ['same case', 'other case'],
  zeros: ['none', 'in the receipt', 'in the response'],
  moment: ['after the response', 'before the response'],
  place: ['same link', 'sibling link'],
  times: ['once', 'twice'],
  parts: ['one', 'three', 'three out of order'],
} as const;

type Habits = { [H in keyof typeof HABITS]: (typeof HABITS)[H][number] };

function product(): Habits[] {
  let all: Partial<Habits>[] = [{}];
  for (const [habit, ways] of Object.entries(HABITS)) all = all.flatMap((one) => ways.map((way) => ({ ...one, [habit]: way })));
  // Decimal digits have no case.
  return (all as Habits[]).filter(({ receipt, letters }) => receipt === 'hex' || letters === 'same case');
}

interface Scripted {
  habits: Habits;
  /** Counted as SMSCs do, so that the ids of all messages lie close together. */
  ids: number[];
  arrived: { pdu: PduOf<'submit_sm'>; number: number; respond: (id: string) => void }[];
}

const write = (id: number, form: 'hex' | 'decimal', { isUpper = false, zeros = 0 } = {}): string => {
  const digits = id.toString(form === 'hex' ? 16 : 10).padStart(zeros, '0');
  return isUpper ? digits.toUpperCase() : digits;
};
const responseId = (id: number, { response, zeros }: Habits): string =>
  write(id, response, { zeros: zeros === 'in the response' ? 20 : 0 });
const receiptId = (id: number, { receipt, letters, zeros }: Habits): string =>
  write(id, receipt, { isUpper: letters === 'other case', zeros: zeros === 'in the receipt' ? 20 : 0 });

function receiptFor({ sourceAddr, destinationAddr }: PduOf<'submit_sm'>, id: number, habits: Habits): MessageFields {
  const inText = receiptId(id, habits);
  const text = `id:${inText} sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:`;
  const state = tlv('message_state', 2);
  const value = Buffer.from(habits.carrier === 'both' ? responseId(id, habits) : inText);
  const named: Tlv = { tag: 0x1e, value: habits.carrier === 'tlv without NUL' ? value : Buffer.concat([value, Buffer.of(0)]) };
  const addresses = { sourceAddr: destinationAddr, destinationAddr: sourceAddr, esmClass: 4 };
  if (habits.carrier === 'text') return { ...addresses, shortMessage: Buffer.from(text) };
  if (habits.carrier === 'both') return { ...addresses, shortMessage: Buffer.from(text), tlvs: [named, state] };
  return { ...addresses, tlvs: [named, state] };
}

const STEP_MS = 20;

/** Real time passes on the test's clock too, so that rates and pauses of the queue end. */
async function settled(isDone: () => Promise<boolean>, withinMs: number): Promise<void> {
  const start = performance.now();
  for (let last = start; last - start < withinMs; ) {
    if (await isDone()) return;
    while (performance.now() - last < STEP_MS) await new Promise((resolve) => setImmediate(resolve));
    last = performance.now();
    await rig.clock.advance(STEP_MS);
  }
  throw new Error('it did not happen');
}

async function open(onSubmit: (pdu: PduOf<'submit_sm'>, systemId: string) => Promise<string>, link = {}): Promise<void> {
  // Nothing listens there: the links try again until there is something.
  let port = 9;
  rig = await openSmsRig({
    link: { windowSizeMax: 200, binds: 2, responseTimeoutMs: 60_000, longMessages: 'udh16', ...link },
    siblings: ['sibling'],
    port: () => port,
  });
  smsc = await openScriptedSmsc({ clock: rig.clock, systemIds: ['causeway', 'sibling'], onSubmit });
  port = smsc.port;
  await settled(async () => smsc.bindsOf('causeway') === 2 && smsc.bindsOf('sibling') === 2, 30_000);
}

const aText = (recipient: string, more: Partial<NewTextSms> = {}): NewTextSms => ({
  ...{ id: newId('sms', rig.clock.now()), partnerId: 'e-plus', market: 'XS', linkId: 'e-plus-main', clientId: 'e-plus-backoffice' },
  ...{ class: 'notice' as const, recipient, sender: 'CAUSEWAY', takesReply: false, text: 'Hallo', correlator: 'r', validForMs: 86_400_000 },
  ...more,
});

const count = async (sql: string): Promise<number> => {
  const [row] = await rig.store.messages.read<{ n: number }>(`SELECT COUNT(*) AS n FROM ${sql}`);
  return Number(row?.n);
};

test('every receipt finds its part, whatever the habits of the SMSC, all of them on one link', { timeout: 300_000 }, async () => {
  const scripts = new Map<string, Scripted>();
  let nextId = 0xabc_0000;
  product().forEach((habits, index) => {
    const ids = Array.from({ length: habits.parts === 'one' ? 1 : 3 }, () => nextId++);
    scripts.set(`99957${2_000_000 + index}`, { habits, ids, arrived: [] });
  });

  /** Called once all parts of a message are there. */
  async function play({ habits, ids, arrived }: Scripted): Promise<void> {
    const order = [...arrived].sort((a, b) => a.number - b.number);
    if (habits.parts === 'three out of order') order.reverse();
    const answer = () => {
      for (const { number, respond } of arrived) respond(responseId(ids[number - 1] ?? 0, habits));
    };
    if (habits.moment === 'after the response') answer();
    for (const { pdu, number } of order) {
      const id = ids[number - 1] ?? 0;
      for (let n = 0; n < (habits.times === 'twice' ? 2 : 1); n++) {
        // Which command brings it is no habit that meets others: they take turns.
        const command = id % 2 === 0 ? 'deliver_sm' : 'data_sm';
        await smsc.deliver(habits.place === 'same link' ? 'causeway' : 'sibling', receiptFor(pdu, id, habits), command);
      }
    }
    if (habits.moment === 'before the response') answer();
  }

  const failures: unknown[] = [];
  await open(
    (pdu) =>
      new Promise((respond, reject) => {
        const script = scripts.get(pdu.destinationAddr);
        if (!script) return reject(new Error('nobody asked for this'));
        script.arrived.push({ pdu, number: messageContent(pdu).concat?.part ?? 1, respond });
        if (script.arrived.length === script.ids.length) play(script).catch((failure: unknown) => failures.push(failure));
      }),
  );
  const messages = [...scripts].map(([digits, { ids }]) => aText(`+${digits}`, { text: ids.length === 1 ? 'Hallo' : 'x'.repeat(400) }));
  expect(messages.length).toBeGreaterThan(1_000);
  for (let from = 0; from < messages.length; from += 500) {
    const [first, ...more] = messages.slice(from, from + 500);
    if (first) await rig.sms.queue([first, ...more]);
  }
  await settled(async () => failures.length > 0 || (await count("sms_message WHERE state <> 'delivered'")) === 0, 240_000);
  await rig.sms.idle();
  expect(failures).toEqual([]);
  expect(await count('sms_receipt WHERE sms_id IS NULL')).toBe(0);
  // What a receipt is found by is its own: its id in three forms, and where it has two ids, those of the other.
  expect(await count('sms_receipt_key')).toBeLessThanOrEqual(6 * (await count('sms_receipt')));
  // Each part has its own receipt, and nobody has somebody else's.
  const matched = await rig.store.messages.read<{ recipient: string; number: number; smsc_message_ids: string }>(
    'SELECT m.recipient, r.number, r.smsc_message_ids FROM sms_receipt r JOIN sms_message m ON m.id = r.sms_id',
  );
  for (const { recipient, number, smsc_message_ids: stored } of matched) {
    const script = scripts.get(recipient.slice(1));
    const own = script && receiptId(script.ids[Number(number) - 1] ?? 0, script.habits);
    expect((JSON.parse(stored) as { id: string }[]).map(({ id }) => id)).toContain(own);
  }
  expect(matched.length).toBe([...scripts.values()].reduce((sum, { ids }) => sum + ids.length, 0));
});
