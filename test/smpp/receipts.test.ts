import { describe, expect, test } from 'vitest';
import { decodePdu } from '../../src/smpp/decoder.js';
import { encodePdu } from '../../src/smpp/encoder.js';
import type { DeliverSm, Fields } from '../../src/smpp/pdu.js';
import { messageIdVariants, parseReceipt } from '../../src/smpp/receipts.js';
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

const APPENDIX_B = 'id:0123456789 sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:Hello';

describe('delivery receipts', () => {
  test('the text of SMPP 3.4 Appendix B', () => {
    expect(receipt(APPENDIX_B)).toEqual({
      kind: 'receipt', messageIds: ['0123456789'], state: 'delivered', stateFrom: 'text', error: { code: '000' }, doneDate: '2611221001',
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
    ['other order and case', 'STAT:DELIVRD ID:ab-12 ERR:0A1', { messageIds: ['ab-12'], state: 'delivered', error: { code: '0A1' } }],
    ['equals signs and spaces', 'id= 77 stat = UNDELIV err = 12', { messageIds: ['77'], state: 'undeliverable', error: { code: '12' } }],
    ['seconds in the date', 'id:7 done date:261122100159 stat:DELIVRD', { doneDate: '261122100159' }],
    ['no id', 'stat:DELIVRD', { messageIds: [], state: 'delivered' }],
    ['a word that nobody knows', 'id:7 stat:MAYBE', { state: 'unknown', stateFrom: 'none' }],
    ['nothing of it', 'hello', { messageIds: [], state: 'unknown', stateFrom: 'none' }],
    ['keys in the text of the message are not read', 'id:7 text:id:8 stat:DELIVRD', { messageIds: ['7'], state: 'unknown' }],
  ])('tolerates %s', (_name, text, expected) => {
    expect(receipt(text)).toMatchObject(expected);
  });

  test('the parameters hold where the text disagrees, and both ids are candidates', () => {
    const tlvs = [tlv('receipted_message_id', 'E99'), tlv('message_state', 5), tlv('network_error_code', hex('03 0014'))];
    expect(receipt('id:3737 stat:DELIVRD err:000', tlvs)).toMatchObject({
      messageIds: ['E99', '3737'], state: 'undeliverable', stateFrom: 'tlv', error: { networkType: 3, code: '20' },
    }); // biome-ignore format: one receipt
  });

  test('an id without its NUL is the same id, also with no text at all', () => {
    for (const value of [Buffer.from('abc123'), Buffer.from('abc123\0')]) {
      expect(receipt('', [{ tag: 0x1e, value }, tlv('message_state', 2)])).toMatchObject({ messageIds: ['abc123'], state: 'delivered' });
    }
  });

  test('three digits for network_error_code', () => {
    expect(receipt('', [tlv('network_error_code', Buffer.from('042'))])?.error).toEqual({ code: '042' });
  });

  test('UCS-2 text, and text in message_payload', () => {
    const ucs2 = deliver({ esmClass: 4, dataCoding: 8, shortMessage: encodeUcs2('id:7 stat:DELIVRD') });
    const payload = deliver({ esmClass: 4, tlvs: [tlv('message_payload', Buffer.from('id:7 stat:DELIVRD'))] });
    for (const pdu of [ucs2, payload]) expect(parseReceipt(pdu)).toMatchObject({ messageIds: ['7'], state: 'delivered' });
  });

  test('an intermediate notification is not the end', () => {
    expect(receipt('id:7 stat:ENROUTE', [], 0x20)).toMatchObject({ kind: 'intermediate', state: 'enroute' });
  });

  test("a subscriber's message that looks like a receipt is not one; a receipted_message_id makes one", () => {
    expect(receipt(APPENDIX_B, [], 0)).toBeUndefined();
    expect(receipt('', [tlv('receipted_message_id', '7')], 0)).toMatchObject({ messageIds: ['7'] });
    for (const esmClass of [0x08, 0x10, 0x18]) expect(receipt(APPENDIX_B, [], esmClass)).toBeUndefined();
  });

  test.each([
    ['0E99', 'E99'], ['e99', 'E99'], ['3737', 'e99'], ['0xE99', '3737'], ['0000000255', '255'], ['255', 'FF'], ['a-b', 'A-B'],
  ])('%s may be written %s', (id, other) => {
    expect(messageIdVariants(id)[0]).toBe(id);
    expect(messageIdVariants(id)).toContain(other);
  }); // biome-ignore format: a table
});
