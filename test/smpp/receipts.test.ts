import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePdu } from '../../src/smpp/decoder.js';
import { encodePdu } from '../../src/smpp/encoder.js';
import { answeredIds, plainMessageId } from '../../src/smpp/message-ids.js';
import type { DeliverSm, Fields } from '../../src/smpp/pdu.js';
import { parseReceipt, type Receipt } from '../../src/smpp/receipts.js';
import { encodeUcs2 } from '../../src/smpp/text.js';
import { type Tlv, tlv } from '../../src/smpp/tlvs.js';
import { hex } from './pdus.js';

function deliver(fields: Partial<Fields<'deliver_sm'>> & { tlvs?: readonly Tlv[] }): DeliverSm {
  const decoded = decodePdu(
    encodePdu({ command: 'deliver_sm', sequence: 1, sourceAddr: '999570000001', destinationAddr: 'CAUSEWAY', ...fields }),
  );
  if (decoded.kind !== 'pdu' || decoded.pdu.command !== 'deliver_sm') throw new Error('not a deliver_sm');
  return decoded.pdu;
}
const receipt = (text: string, tlvs: readonly Tlv[] = [], esmClass = 0x04) =>
  parseReceipt(deliver({ esmClass, shortMessage: Buffer.from(text, 'latin1'), tlvs }));

const inText = (id: string) => ({ id, from: 'text' });
const inTlv = (id: string) => ({ id, from: 'tlv' });

const APPENDIX_B = 'id:0123456789 sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:Hello';

describe('delivery receipts', () => {
  test('the text of SMPP 3.4 Appendix B', () => {
    expect(receipt(APPENDIX_B)).toEqual({
      kind: 'receipt', messageIds: [inText('0123456789')], state: 'delivered', stateFrom: 'text', error: { code: '000' }, doneDate: '2611221001',
      doneAs: { sub: 1, delivered: 1 },
    }); // biome-ignore format: one receipt
  });

  test.each([
    ['DELIVRD', 'delivered'], ['EXPIRED', 'expired'], ['DELETED', 'deleted'], ['UNDELIV', 'undeliverable'], ['ACCEPTD', 'accepted'],
    ['UNKNOWN', 'unknown'], ['REJECTD', 'rejected'], ['ENROUTE', 'enroute'], ['ACKED', 'enroute'], ['BUFFRED', 'enroute'],
    ['BUFFERD', 'enroute'], ['Delivered', 'delivered'], ['failed', 'undeliverable'],
  ])('stat:%s is %s', (word, state) => {
    expect(receipt(`id:1 stat:${word} err:001`)).toMatchObject({ state, stateFrom: 'text' });
  }); // biome-ignore format: a table

  test.each([
    [
      'other order and case',
      'STAT:DELIVRD ID:ab-12 ERR:0A1',
      { messageIds: [inText('ab-12')], state: 'delivered', error: { code: '0A1' } },
    ],
    [
      'equals signs and spaces',
      'id= 77 stat = UNDELIV err = 12',
      { messageIds: [inText('77')], state: 'undeliverable', error: { code: '12' } },
    ],
    ['seconds in the date', 'id:7 done date:261122100159 stat:DELIVRD', { doneDate: '261122100159' }],
    ['no id', 'stat:DELIVRD', { messageIds: [], state: 'delivered' }],
    ['a word that nobody knows', 'id:7 stat:MAYBE', { state: 'unknown', stateFrom: 'none' }],
    ['nothing of it', 'hello', { messageIds: [], state: 'unknown', stateFrom: 'none' }],
    ['keys in the text of the message are not read', 'id:7 text:id:8 stat:DELIVRD', { messageIds: [inText('7')], state: 'unknown' }],
  ])('tolerates %s', (_name, text, expected) => {
    expect(receipt(text)).toMatchObject(expected);
  });

  test('the parameters hold where the text disagrees, and both ids are candidates', () => {
    const tlvs = [tlv('receipted_message_id', 'E99'), tlv('message_state', 5), tlv('network_error_code', hex('03 0014'))];
    expect(receipt('id:3737 stat:DELIVRD err:000', tlvs)).toMatchObject({
      messageIds: [inTlv('E99'), inText('3737')], state: 'undeliverable', stateFrom: 'tlv', error: { networkType: 3, code: '20' },
    }); // biome-ignore format: one receipt
  });

  test('an id without its NUL is the same id, also with no text at all', () => {
    for (const value of [Buffer.from('abc123'), Buffer.from('abc123\0')]) {
      expect(receipt('', [{ tag: 0x1e, value }, tlv('message_state', 2)])).toMatchObject({
        messageIds: [inTlv('abc123')],
        state: 'delivered',
      });
    }
  });

  test('three digits for network_error_code', () => {
    expect(receipt('', [tlv('network_error_code', Buffer.from('042'))])?.error).toEqual({ code: '042' });
  });

  test('UCS-2 text, and text in message_payload', () => {
    const ucs2 = deliver({ esmClass: 4, dataCoding: 8, shortMessage: encodeUcs2('id:7 stat:DELIVRD') });
    const payload = deliver({ esmClass: 4, tlvs: [tlv('message_payload', Buffer.from('id:7 stat:DELIVRD'))] });
    for (const pdu of [ucs2, payload]) expect(parseReceipt(pdu)).toMatchObject({ messageIds: [inText('7')], state: 'delivered' });
  });

  test('an intermediate notification is not the end', () => {
    expect(receipt('id:7 stat:ENROUTE', [], 0x20)).toMatchObject({ kind: 'intermediate', state: 'enroute' });
  });

  test("a subscriber's message that looks like a receipt is not one; a receipted_message_id makes one", () => {
    expect(receipt(APPENDIX_B, [], 0)).toBeUndefined();
    expect(receipt('', [tlv('receipted_message_id', '7')], 0)).toMatchObject({ messageIds: [inTlv('7')] });
    for (const esmClass of [0x08, 0x10, 0x18]) expect(receipt(APPENDIX_B, [], esmClass)).toBeUndefined();
  });

  // What vendors make of Appendix B.
  test.each<[string, string, Partial<Receipt>]>([
    ['no text key, and words of the user that look like keys', 'id:7 sub:001 dlvrd:001 stat:DELIVRD err:000 Your code: 1 stat:UNDELIV id:8', { state: 'delivered', error: { code: '000' } }],
    ['no text key, and a user who writes the error again', 'id:7 stat:EXPIRED err:004 err:000 stat:DELIVRD', { state: 'expired', error: { code: '004' } }],
    ['an id of two words', 'id:AB 12 sub:001 stat:DELIVRD', { messageIds: [{ id: 'AB 12', from: 'text' }], state: 'delivered' }],
    ['an id alone, with words behind it', 'id:AB12 hello there', { messageIds: [{ id: 'AB12', from: 'text' }], state: 'unknown' }],
    ['commas', 'id:7,sub:1,dlvrd:1,submit date:2611221000,done date:2611221001,stat:DELIVRD,err:0,text:x', { state: 'delivered', doneDate: '2611221001', error: { code: '0' } }],
    ['underscores and other names', 'message_id:7 submit_date:2611221000 done_date:261122100159 message_state:DELIVERED error_code:0', { state: 'delivered', doneDate: '261122100159' }],
    ['words in capitals', 'ID:7 SUB:001 DLVRD:001 SUBMIT DATE:2611221000 DONE DATE:20261122100159 STAT:DELIVRD ERR:00A TEXT:ID:9', { doneDate: '20261122100159', error: { code: '00A' } }],
    ['dates with signs', 'id:7 done date:2026-11-22 10:01:59 stat:DELIVRD', { doneDate: '20261122100159', state: 'delivered' }],
    ['a key of its own', 'id:7 mcc:262 mnc:01 stat:UNDELIV err:0x0B', { state: 'undeliverable', error: { code: '0x0B' } }],
    ['a key of its own of two words', 'id:7 network:E Plus stat:DELIVRD err:000', { state: 'delivered', error: { code: '000' } }],
    ['a state by number', 'id:7 stat:5 err:001', { state: 'undeliverable' }],
    ['lines', 'id:7\r\nstat:REJECTD\r\nerr:99', { state: 'rejected', error: { code: '99' } }],
    ['no err', 'id:7 sub:001 dlvrd:000 stat:UNDELIV text:', { state: 'undeliverable', error: undefined, doneAs: { sub: 1, delivered: 0 } }],
  ])('tolerates %s', (_name, text, expected) => {
    expect(receipt(text)).toMatchObject({ messageIds: [{ id: expect.stringMatching(/^(7|AB)/), from: 'text' }], ...expected });
  }); // biome-ignore format: a table

  test('an id with signs that GSM and ASCII write differently is read both ways', () => {
    // 0x5f is § in GSM, 0x40 is ¡.
    expect(receipt('id:a_1@b stat:DELIVRD')?.messageIds).toEqual([inText('a§1¡b'), inText('a_1@b')]);
    const gsm = deliver({ esmClass: 4, shortMessage: hex('69643a 611131 20737461743a44454c49565244') });
    expect(parseReceipt(gsm)?.messageIds[0]).toEqual(inText('a_1'));
    const ascii = deliver({ esmClass: 4, shortMessage: Buffer.from('id:a_1 stat:DELIVRD') });
    expect(parseReceipt(ascii, { defaultAlphabet: 'ascii' })?.messageIds).toEqual([inText('a_1')]);
  });

  test('a data_sm brings one like a deliver_sm, by its parameters or its payload', () => {
    const tlvs = [tlv('receipted_message_id', '7'), tlv('message_state', 2)];
    expect(parseReceipt({ esmClass: 4, dataCoding: 0, tlvs })).toMatchObject({ messageIds: [inTlv('7')], state: 'delivered' });
    const payload = [tlv('message_payload', Buffer.from('id:7 stat:EXPIRED err:1'))];
    expect(parseReceipt({ esmClass: 4, dataCoding: 0, tlvs: payload })).toMatchObject({ messageIds: [inText('7')], state: 'expired' });
  });

  test('the flag of a header that is not there does not hide the text', () => {
    expect(receipt(APPENDIX_B, [], 0x44)).toMatchObject({ messageIds: [inText('0123456789')], state: 'delivered' });
  });

  test("whatever the text is, reading it ends, and only what stands before the user's words counts", () => {
    const word = fc.constantFrom(
      'id:',
      'stat:',
      'err:',
      'done date:',
      'sub:',
      'DELIVRD',
      'UNDELIV',
      '7',
      ' ',
      '\n',
      'submit date',
      '=',
      'x',
      ';',
    );
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 200 }).map((words) => words.join('')),
        (noise) => {
          const read = receipt(`id:1 stat:EXPIRED err:007 text:${noise}`);
          expect(read).toMatchObject({ messageIds: [inText('1')], state: 'expired', error: { code: '007' } });
          expect(() => receipt(noise)).not.toThrow();
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });
});

describe('message ids', () => {
  test.each([
    ['as it was', '9f3a01', '9f3a01', 'text'],
    ['in the other case', '9f3a01', '9F3A01', 'text'],
    ['with leading zeros', '9f3a01', '009F3A01', 'text'],
    ['without them', '0e99aa', 'E99AA', 'text'],
    ['with 0x', '9f3a01', '0x9f3a01', 'text'],
    ['with a space', 'AB12', ' ab 12', 'text'],
    ['in decimal', '9f3a01', '10435073', 'decimal'],
    ['in decimal with zeros', '9f3a01', '0010435073', 'decimal'],
    ['in hexadecimal', '10435073', '9F3A01', 'hex'],
    ['in hexadecimal with 0x', '0010435073', '0x9f3a01', 'hex'],
    ['in decimal, of 128 bits', 'ffffffffffffffffffffffffffffffff', '340282366920938463463374607431768211455', 'decimal'],
  ])('a receipt may have it %s', (_how, answered, inReceipt, form) => {
    expect(answeredIds(inReceipt).filter(({ key }) => key === plainMessageId(answered))).toEqual([{ form, key: plainMessageId(answered) }]);
  });

  test('what is no number is only itself, and nothing at all is nothing', () => {
    expect(answeredIds('a-b/c')).toEqual([{ form: 'text', key: 'a-b/c' }]);
    expect(answeredIds('9'.repeat(64)).map(({ form }) => form)).toEqual(['text']);
    expect(answeredIds('  ')).toEqual([]);
  });
});
