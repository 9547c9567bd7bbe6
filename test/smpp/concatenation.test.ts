import { describe, expect, test } from 'vitest';
import { concatElement, concatFromUdh, reassemblyKey } from '../../src/smpp/concatenation.js';
import { type MessagePdu, messageContent, messageText } from '../../src/smpp/text.js';
import { tlv } from '../../src/smpp/tlvs.js';
import { parseUdh, writeUdh } from '../../src/smpp/udh.js';
import { hex } from './pdus.js';

type Mo = MessagePdu & { sourceAddr: string; destinationAddr: string };
const aMo = (more: Partial<MessagePdu>): Mo => ({
  ...{ sourceAddr: '999570000001', destinationAddr: '9995790000001', esmClass: 0, dataCoding: 0, shortMessage: Buffer.alloc(0), tlvs: [] },
  ...more,
});
const keyOf = (mo: Mo) => reassemblyKey(mo, messageContent(mo));

describe('parts of a long MO', () => {
  const part = (method: 'udh8' | 'udh16', reference: number, index: number, extra = '', text = 'x') => {
    const others = extra === '' ? [] : (parseUdh(Buffer.concat([Buffer.from([hex(extra).length]), hex(extra)]))?.elements ?? []);
    const header = writeUdh([concatElement(method, reference, 3, index), ...others]);
    return aMo({ esmClass: 0x40, shortMessage: Buffer.concat([header, Buffer.from(text)]) });
  };

  test('share a key; another reference, method or other element is another message', () => {
    const key = keyOf(part('udh8', 7, 1));
    expect(key).toBe(keyOf(part('udh8', 7, 2, '', 'y')));
    const others = [part('udh8', 8, 1), part('udh16', 7, 1), part('udh8', 7, 1, '0504 0001 0002')].map(keyOf);
    expect(new Set([key, ...others]).size).toBe(4);
  });

  test('share it also where one names a national table or brings a picture, and the others do not', () => {
    const key = keyOf(part('udh8', 7, 1));
    for (const extra of ['2401 01', '2501 06', '0a03 000510', '1102 0000']) expect(keyOf(part('udh8', 7, 2, extra))).toBe(key);
  });

  test('of another sender or to another number are of another message', () => {
    const pdu = part('udh8', 7, 1);
    const keys = [pdu, { ...pdu, sourceAddr: '999570000002' }, { ...pdu, destinationAddr: '9995790000002' }].map(keyOf);
    expect(new Set(keys).size).toBe(3);
  });

  test('are found by SAR parameters too', () => {
    const sar = (index: number) => [tlv('sar_msg_ref_num', 7), tlv('sar_total_segments', 2), tlv('sar_segment_seqnum', index)];
    const [first, second] = [1, 2].map((index) => keyOf(aMo({ shortMessage: Buffer.from('x'), tlvs: sar(index) })));
    expect(first).toBeDefined();
    expect(first).toBe(second);
    expect(keyOf(aMo({ tlvs: sar(3) }))).toBeUndefined();
  });

  test('their text is read without the header, behind other elements too', () => {
    const pdu = part('udh16', 7, 2, '2401 05', 'hello');
    expect(messageText(pdu)).toBe('hello');
    expect(concatFromUdh(parseUdh(pdu.shortMessage ?? hex(''))?.elements ?? [])).toEqual({
      method: 'udh16',
      reference: 7,
      total: 3,
      part: 2,
    });
  });

  test.each([
    ['part 0', '0003 07 02 00'],
    ['part 3 of 2', '0003 07 02 03'],
    ['0 parts', '0003 07 00 00'],
  ])('%s is no concatenation', (_name, element) => {
    expect(concatFromUdh(parseUdh(hex(`05 ${element}`))?.elements ?? [])).toBeUndefined();
  });

  test('a single message has no key', () => {
    expect(keyOf(aMo({ shortMessage: Buffer.from('hi') }))).toBeUndefined();
  });
});
