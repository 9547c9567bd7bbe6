import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defineOperation, settleNothing } from '../../src/store/index.js';
import { aMessage, openRig, type Person, type Rig } from './rig.js';

let rig: Rig;
let sender: Person;
let recipient: Person;
beforeEach(async () => {
  rig = await openRig();
  sender = await rig.person('+999100001');
  recipient = await rig.person('+999100002');
});
afterEach(() => rig.close());

const send = (message: unknown, from = sender, to = recipient) => rig.engine.calls.sendMessage(from, to.accountId, message);
const queue = async (of: Person, limit = 100) => (await rig.engine.calls.readQueue(of, limit)).items;

describe('sending', () => {
  test('what was sent waits in the queue as it was sent, until it is acknowledged', async () => {
    const sent = await send(aMessage(recipient, 'c1', { ref: '7QKD' }));
    expect(sent).toEqual({ messageId: sent.messageId, storedAt: '2026-11-22T10:00:00.000Z', replayed: false });
    const envelope = {
      envelopeId: sent.messageId,
      seq: 1,
      kind: 'message',
      from: { accountId: sender.accountId, deviceId: sender.deviceId },
      clientMsgId: 'c1',
      ref: '7QKD',
      suite: 'olm-1',
      body: 'opaque c1',
      sentAt: sent.storedAt,
    };
    expect(await queue(recipient)).toEqual([envelope]);
    expect(await queue(recipient)).toEqual([envelope]);
    expect(await rig.engine.calls.ackQueue(recipient, { envelopeIds: [sent.messageId, sent.messageId] })).toEqual({ acknowledged: 1 });
    expect(await queue(recipient)).toEqual([]);
  });

  test('a repeated clientMsgId answers the first result, later and in the same batch', async () => {
    const [first, ...again] = await Promise.all(Array.from({ length: 10 }, () => send(aMessage(recipient, 'c1'))));
    expect(first?.replayed).toBe(false);
    for (const repeat of [...again, await send(aMessage(recipient, 'c1'))]) expect(repeat).toEqual({ ...first, replayed: true });
    expect(await queue(recipient)).toHaveLength(1);
    await rig.engine.calls.ackQueue(recipient, { envelopeIds: [first?.messageId] });
    expect(await send(aMessage(recipient, 'c1'))).toEqual({ ...first, replayed: true });
    expect(await queue(recipient)).toEqual([]);
  });

  test('the same clientMsgId of another device is another message', async () => {
    const other = await rig.person('+999100003');
    await Promise.all([send(aMessage(recipient, 'c1')), send(aMessage(recipient, 'c1'), other)]);
    expect(await queue(recipient)).toHaveLength(2);
  });

  test('FIFO under concurrent sends: numbers have no hole, and each sender’s messages keep their order', async () => {
    const others = await Promise.all([3, 4, 5].map((n) => rig.person(`+99910000${n}`)));
    const all: Promise<unknown>[] = [];
    for (let i = 0; i < 100; i++) for (const from of [sender, ...others]) all.push(send(aMessage(recipient, `c${i}`), from));
    await Promise.all(all);
    const rows = await rig.store.messages.read('SELECT seq, sender_device_id, client_msg_id FROM engine_envelope ORDER BY seq');
    expect(rows.map((row) => row['seq'])).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
    for (const from of [sender, ...others]) {
      const order = rows.filter((row) => row['sender_device_id'] === from.deviceId).map((row) => row['client_msg_id']);
      expect(order).toEqual(Array.from({ length: 100 }, (_, i) => `c${i}`));
    }
  });

  test('what is looked up before may take its time: a device’s messages keep their order, and no other device waits for them', async () => {
    const other = await rig.person('+999100003');
    const read = rig.store.messages.read.bind(rig.store.messages);
    let lookUp = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      lookUp = resolve;
    });
    let reads = 0;
    rig.store.messages.read = async (sql, parameters) => {
      if (reads++ === 0) await held;
      return read(sql, parameters);
    };
    const [slow, quick] = [send(aMessage(recipient, 'slow')), send(aMessage(recipient, 'quick'))];
    const refused = send(aMessage(recipient, 'refused'), sender, { ...recipient, accountId: 'acc_00000000000000000000000000' });
    await send(aMessage(recipient, 'other'), other);
    lookUp();
    const [, , last] = await Promise.allSettled([slow, quick, refused]);
    expect(last).toMatchObject({ status: 'rejected', reason: { code: 'NOT_FOUND' } });
    expect((await queue(recipient)).map(({ clientMsgId }) => clientMsgId)).toEqual(['other', 'slow', 'quick']);
  });

  test('an account that does not exist is 404', async () => {
    const nobody = { ...recipient, accountId: 'acc_00000000000000000000000000' };
    await expect(send(aMessage(recipient, 'c1'), sender, nobody)).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 });
  });

  test('devices that are missing, too many or registered anew are named, and nothing is stored', async () => {
    const stranger = 'dev_00000000000000000000000000';
    const message = aMessage(recipient, 'c1');
    const [device] = message.devices;
    await expect(send({ ...message, devices: [{ ...device, deviceId: stranger }] })).rejects.toMatchObject({
      code: 'MESSAGING.DEVICES_MISMATCH',
      extra: { missingDevices: [recipient.deviceId], extraDevices: [stranger] },
    });
    await expect(send({ ...message, devices: [device, { ...device, deviceId: stranger }] })).rejects.toMatchObject({
      status: 409,
      extra: { missingDevices: [], extraDevices: [stranger] },
    });
    await expect(send({ ...message, devices: [{ ...device, registrationId: recipient.registrationId + 1 }] })).rejects.toMatchObject({
      code: 'MESSAGING.DEVICES_STALE',
      status: 410,
      extra: { staleDevices: [recipient.deviceId] },
    });
    expect(await rig.store.messages.read('SELECT message_id FROM engine_sent')).toEqual([]);
    // Refused is not sent: the same id may be used once the devices are right.
    expect(await send(message)).toMatchObject({ replayed: false });
  });

  test('a send and a re-registration at the same instant leave no message for a device that is gone', async () => {
    for (let round = 0; round < 20; round++) {
      const target = await rig.register(recipient.msisdn);
      const [sent, replaced] = await Promise.allSettled([
        send(aMessage(target, `round-${round}`), sender, target),
        rig.register(target.msisdn),
      ]);
      expect(replaced.status).toBe('fulfilled');
      if (sent.status === 'rejected') expect(sent.reason).toMatchObject({ status: 409 });
    }
    const orphans = await rig.store.messages.read(
      'SELECT e.id FROM engine_envelope e JOIN engine_device d ON d.id = e.device_id WHERE d.removed_at IS NOT NULL',
    );
    expect(orphans).toEqual([]);
  });

  test('a device that was replaced sends nothing any more', async () => {
    await rig.register(sender.msisdn);
    await expect(send(aMessage(recipient, 'c1'))).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('a body beyond its bound, a device named twice and an unknown member are refused with a pointer', async () => {
    const message = aMessage(recipient, 'c1');
    const [device] = message.devices;
    const cases: [unknown, string][] = [
      [{ ...message, devices: [{ ...device, body: 'x'.repeat(131_073) }] }, '/devices/0/body'],
      [{ ...message, devices: [device, device] }, '/devices'],
      [{ ...message, surprise: true }, ''],
      [{ ...message, ttlSeconds: 59 }, '/ttlSeconds'],
      ['text', ''],
    ];
    for (const [body, pointer] of cases) {
      await expect(send(body)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', errors: [{ pointer }] });
    }
  });

  test('a queue that is full refuses the sender, and takes messages again after acks', async () => {
    const small = await openRig({ options: { queueMax: 3 } });
    try {
      const [from, to] = [await small.person('+999100001'), await small.person('+999100002')];
      const put = (id: string) => small.engine.calls.sendMessage(from, to.accountId, aMessage(to, id));
      for (const id of ['c1', 'c2', 'c3']) await put(id);
      await expect(put('c4')).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED', headers: { 'Retry-After': '3600' } });
      const [first] = (await small.engine.calls.readQueue(to, 1)).items;
      await small.engine.calls.ackQueue(to, { envelopeIds: [first?.envelopeId] });
      expect(await put('c4')).toMatchObject({ replayed: false });
    } finally {
      await small.close();
    }
  });
});

describe('acknowledging', () => {
  test('the sender learns of the first ack once, as an envelope that it acknowledges itself', async () => {
    const { messageId } = await send(aMessage(recipient, 'c1'));
    await Promise.all([0, 1].map(() => rig.engine.calls.ackQueue(recipient, { envelopeIds: [messageId] })));
    const [status, ...more] = await queue(sender);
    expect(more).toEqual([]);
    expect(status).toMatchObject({ kind: 'status', suite: 'json-1', seq: 1 });
    expect(status?.from).toBeUndefined();
    expect(JSON.parse(status?.body ?? '')).toEqual({ clientMsgId: 'c1', messageId, status: 'delivered', at: '2026-11-22T10:00:00.000Z' });
    expect(await rig.engine.calls.ackQueue(sender, { envelopeIds: [status?.envelopeId] })).toEqual({ acknowledged: 1 });
    expect(await queue(sender)).toEqual([]);
    expect(await queue(recipient)).toEqual([]);
  });

  test("nobody acknowledges another's envelopes", async () => {
    const { messageId } = await send(aMessage(recipient, 'c1'));
    expect(await rig.engine.calls.ackQueue(sender, { envelopeIds: [messageId] })).toEqual({ acknowledged: 0 });
    expect(await queue(recipient)).toHaveLength(1);
    expect(await queue(sender)).toEqual([]);
  });

  test('statuses and messages that arrive in one batch share one unbroken numbering', async () => {
    const sent = await Promise.all(Array.from({ length: 30 }, (_, i) => send(aMessage(recipient, `c${i}`))));
    await Promise.all([
      ...sent.map(({ messageId }) => rig.engine.calls.ackQueue(recipient, { envelopeIds: [messageId] })),
      ...sent.map((_, i) => send(aMessage(sender, `back-${i}`), recipient, sender)),
    ]);
    expect((await queue(sender)).map((envelope) => envelope.seq)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  });

  test('a page says when there is more', async () => {
    for (const id of ['c1', 'c2', 'c3']) await send(aMessage(recipient, id));
    expect(await rig.engine.calls.readQueue(recipient, 2)).toMatchObject({
      items: [{ clientMsgId: 'c1' }, { clientMsgId: 'c2' }],
      hasMore: true,
    });
    expect(await rig.engine.calls.readQueue(recipient, 3)).toMatchObject({ hasMore: false });
  });
});

// Registration keeps one device today; the rules of sending and acknowledging are those of many.
describe('an account with two devices', () => {
  const second = 'dev_00000000000000000000000002';
  beforeEach(async () => {
    const insert = defineOperation<{ id: string; accountId: string }, undefined>({
      name: 'test.secondDevice',
      statements: [
        `INSERT INTO engine_device (id, account_id, name, platform, registration_id, secret_hash, last_seq, created_at)
         SELECT b.value ->> 'id', b.value ->> 'accountId', 'tablet', 'android', 77, 'x', 0, 0 FROM :batch`,
      ],
      settle: settleNothing,
    });
    await rig.store.messages.run(insert, { id: second, accountId: recipient.accountId });
  });

  test('a message must name both', async () => {
    await expect(send(aMessage(recipient, 'c1'))).rejects.toMatchObject({
      code: 'MESSAGING.DEVICES_MISMATCH',
      extra: { missingDevices: [second], extraDevices: [] },
    });
  });

  test('each gets its own copy, and the sender hears "delivered" of the first ack only', async () => {
    const message = aMessage(recipient, 'c1');
    message.devices.push({ deviceId: second, registrationId: 77, suite: 'olm-1', body: 'for the tablet' });
    const { messageId } = await send(message);
    const tablet = { ...recipient, deviceId: second };
    expect((await queue(tablet)).map((envelope) => envelope.body)).toEqual(['for the tablet']);
    expect((await queue(recipient)).map((envelope) => envelope.body)).toEqual(['opaque c1']);
    for (const device of [tablet, recipient])
      expect(await rig.engine.calls.ackQueue(device, { envelopeIds: [messageId] })).toEqual({ acknowledged: 1 });
    expect(await queue(sender)).toHaveLength(1);
  });
});

describe('time', () => {
  test('an envelope that has outlived its time is not read, and a sweep deletes it', async () => {
    await send(aMessage(recipient, 'short', { ttlSeconds: 60 }));
    await send(aMessage(recipient, 'long'));
    await rig.clock.advance(60_000);
    expect((await queue(recipient)).map((envelope) => envelope.clientMsgId)).toEqual(['long']);
    await rig.clock.advance(60_000);
    await until(async () => (await rig.store.messages.read('SELECT id FROM engine_envelope')).length === 1);
  });
});

describe('what the gateway puts in', () => {
  test('arrives once for an id, also when it is put in again after the ack', async () => {
    const reply = { id: 'mo_1', deviceId: sender.deviceId, kind: 'sms-reply' as const, suite: 'hpke-1', body: 'sealed' };
    expect(await Promise.all([rig.engine.system.enqueue(reply), rig.engine.system.enqueue(reply)])).toEqual([true, true]);
    const [envelope, ...more] = await queue(sender);
    expect(more).toEqual([]);
    expect(envelope).toMatchObject({ kind: 'sms-reply', suite: 'hpke-1', body: 'sealed' });
    await rig.engine.calls.ackQueue(sender, { envelopeIds: [envelope?.envelopeId] });
    expect(await rig.engine.system.enqueue(reply)).toBe(true);
    expect(await queue(sender)).toEqual([]);
  });

  test('is refused for a device that is gone', async () => {
    await rig.register(sender.msisdn);
    const reply = { id: 'mo_1', deviceId: sender.deviceId, kind: 'sms-reply' as const, suite: 'hpke-1', body: 'sealed' };
    expect(await rig.engine.system.enqueue(reply)).toBe(false);
  });
});

/** Lets the writer thread answer until something holds; the test's own timeout ends a wait that is in vain. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise<void>((resolve) => setImmediate(resolve));
}
