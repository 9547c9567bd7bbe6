import smpp from 'smpp';
import { expect, test } from 'vitest';
import { bindEsme, closeAfterEach, connectEsme, SENDER, startSmsc, textOf } from './esme.js';

closeAfterEach();

const ORDINARY = '+999571234567';
const magic = (suffix: string) => `+9995790${suffix}`;

test('an ordinary number is delivered, and its receipt says so in text and TLVs within a second', async () => {
  const { smsc, clock } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  const response = await esme.submit(ORDINARY);
  expect(response.command_status).toBe(0);
  const id = String(response.message_id);
  await clock.advance(1_000);
  const receipt = await esme.next('deliver_sm');
  expect(receipt.esm_class).toBe(4);
  expect([receipt.source_addr, receipt.destination_addr]).toEqual([ORDINARY.slice(1), SENDER]);
  expect(textOf(receipt)).toBe(`id:${id} sub:001 dlvrd:001 submit date:2611221000 done date:2611221000 stat:DELIVRD err:000 text:`);
  expect([receipt.receipted_message_id, receipt.message_state]).toEqual([id, 2]);
  expect(smsc.received({ limit: 10 })).toEqual([
    {
      smscMessageId: id,
      partIds: [id],
      partnerSystemId: 'causeway',
      from: `+${SENDER}`,
      to: ORDINARY,
      text: 'hello',
      parts: 1,
      receivedAt: clock.now() - 1_000,
    },
  ]);
});

test.each([
  ['000101', 'UNDELIV', '001', 5],
  ['000103', 'EXPIRED', '002', 3],
])('%s is accepted, reaches no handset, and its receipt says %s', async (suffix, stat, err, state) => {
  const { smsc, clock } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  expect((await esme.submit(magic(suffix))).command_status).toBe(0);
  await clock.advance(1_000);
  const receipt = await esme.next('deliver_sm');
  expect(textOf(receipt)).toContain(`dlvrd:000`);
  expect(textOf(receipt)).toContain(`stat:${stat} err:${err} text:`);
  expect(receipt.message_state).toBe(state);
  expect(smsc.received({ limit: 10 })).toEqual([]);
  expect(smsc.submitted({ limit: 10 })).toHaveLength(1);
});

test.each([
  ['000102', ['ESME_RTHROTTLED', 'ESME_RTHROTTLED', 'ESME_ROK', 'ESME_RTHROTTLED']],
  ['000105', ['ESME_RMSGQFUL', 'ESME_ROK', 'ESME_RMSGQFUL']],
  ['000104', ['ESME_RINVDSTADR', 'ESME_RINVDSTADR']],
])('%s answers %j, one after the other', async (suffix, expected) => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  for (const name of expected) expect((await esme.submit(magic(suffix))).command_status).toBe(smpp.errors[name]);
  expect(smsc.received({ limit: 10 })).toHaveLength(expected.includes('ESME_ROK') ? 1 : 0);
});

test('a passing refusal does not come in the middle of a long message', async () => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  const part = (seq: number) => esme.submit(magic('000105'), { short_message: { udh: Buffer.from([5, 0, 3, 7, 2, seq]), message: 'x' } });
  expect((await part(1)).command_status).toBe(smpp.errors['ESME_RMSGQFUL']);
  expect([(await part(1)).command_status, (await part(2)).command_status]).toEqual([0, 0]);
});

test('000106 sends the receipt before the submit_sm_resp, on the same bind', async () => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  await bindEsme(smsc.port);
  const response = await esme.submit(magic('000106'));
  expect(esme.seen.map((pdu) => pdu.command)).toEqual(['bind_transceiver_resp', 'deliver_sm', 'submit_sm_resp']);
  expect(textOf(await esme.next('deliver_sm'))).toContain(`id:${String(response.message_id)} `);
});

test('000107 is delivered and never gets a receipt', async () => {
  const { smsc, clock } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  await esme.submit(magic('000107'));
  await clock.advance(30_000);
  expect(smsc.received({ limit: 10 })).toHaveLength(1);
  expect(smsc.owed()).toBe(0);
  expect(esme.seen.map((pdu) => pdu.command)).not.toContain('deliver_sm');
});

test('000108 gets the same receipt twice', async () => {
  const { smsc, clock } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  await esme.submit(magic('000108'));
  await clock.advance(1_000);
  const [first, second] = [await esme.next('deliver_sm'), await esme.next('deliver_sm')];
  expect(textOf(second)).toBe(textOf(first));
});

test('000109 cuts the link after it took the message, and sends the receipt at the next bind', async () => {
  const { smsc, clock } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  await expect(esme.submit(magic('000109'))).rejects.toThrow('connection lost');
  expect(esme.seen.map((pdu) => pdu.command)).not.toContain('submit_sm_resp');
  expect(smsc.received({ limit: 10 })).toHaveLength(1);
  await clock.advance(1_000);
  expect(smsc.owed()).toBe(1);
  const again = await bindEsme(smsc.port);
  expect(textOf(await again.next('deliver_sm'))).toContain('stat:DELIVRD');
});

test('000110 answers after 15 seconds of the clock, not before', async () => {
  const { smsc, clock } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  const answered = esme.submit(magic('000110'));
  await new Promise<void>((resolve) => smsc.onReceived(() => resolve()));
  await clock.advance(14_999);
  await esme.request('enquire_link');
  expect(esme.seen.map((pdu) => pdu.command)).not.toContain('submit_sm_resp');
  await clock.advance(1);
  expect((await answered).command_status).toBe(0);
});

test.each([
  [0, ORDINARY, 0],
  [1, ORDINARY, 1],
  [2, ORDINARY, 0],
  [2, magic('000101'), 1],
  [3, magic('000101'), 0],
])('registered_delivery %i to %s owes %i receipts', async (registered, to, receipts) => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  await esme.submit(to, { registered_delivery: registered });
  expect(smsc.owed()).toBe(receipts);
});

test.each(['+491701234567', '+999561234567', '+99957', '+999571234567890123', 'CAUSEWAY', '+9995712345x'])(
  'a number outside the sandbox (%s) is refused and reaches nobody',
  async (to) => {
    const { smsc } = await startSmsc();
    const esme = await bindEsme(smsc.port);
    expect((await esme.submit(to)).command_status).toBe(smpp.errors['ESME_RINVDSTADR']);
    expect(smsc.submitted({ limit: 10 })).toEqual([]);
  },
);

// Jasmin's and others' users report this pair of forms more than any other when receipts cannot be matched.
test('the hexdec personality answers in hexadecimal and writes decimal ids without TLVs in receipts', async () => {
  const { smsc, clock } = await startSmsc({ personality: { messageIdForm: 'hex', tlvs: false } });
  const esme = await bindEsme(smsc.port);
  const id = String((await esme.submit(ORDINARY)).message_id);
  await clock.advance(1_000);
  const receipt = await esme.next('deliver_sm');
  expect(id).toMatch(/[a-f]/);
  expect(textOf(receipt)).toContain(`id:${BigInt(`0x${id}`)} `);
  expect(receipt).not.toHaveProperty('receipted_message_id');
});

test('binds are checked: wrong account, wrong password, nothing before bind, direction of the bind', async () => {
  const { smsc } = await startSmsc();
  const bindAs = (systemId: string, password: string) =>
    connectEsme(smsc.port).request('bind_transceiver', { system_id: systemId, password });
  expect((await bindAs('nobody', 'sandbox')).command_status).toBe(smpp.errors['ESME_RINVSYSID']);
  expect((await bindAs('causeway', 'guess')).command_status).toBe(smpp.errors['ESME_RINVPASWD']);
  expect((await connectEsme(smsc.port).submit(ORDINARY)).command_status).toBe(smpp.errors['ESME_RINVBNDSTS']);
  const receiver = await bindEsme(smsc.port, 'receiver');
  expect((await receiver.submit(ORDINARY)).command_status).toBe(smpp.errors['ESME_RINVBNDSTS']);
  expect((await receiver.request('bind_receiver', {})).command_status).toBe(smpp.errors['ESME_RALYBND']);
  expect(smsc.binds()).toMatchObject([{ systemId: 'causeway', binds: [{ type: 'receiver' }] }]);
});

test('receipts of a transmitter come on the receiver of the same account', async () => {
  const { smsc, clock } = await startSmsc();
  const receiver = await bindEsme(smsc.port, 'receiver');
  const transmitter = await bindEsme(smsc.port, 'transmitter');
  await transmitter.submit(ORDINARY);
  await clock.advance(1_000);
  expect(textOf(await receiver.next('deliver_sm'))).toContain('stat:DELIVRD');
});

test('unbind is answered and closes the connection', async () => {
  const { smsc } = await startSmsc();
  const esme = await bindEsme(smsc.port);
  expect((await esme.request('unbind')).command_status).toBe(0);
  await esme.closed;
});
