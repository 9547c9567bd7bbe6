import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePdu } from '../../src/smpp/decoder.js';
import { createEncoder, encodePdu } from '../../src/smpp/encoder.js';
import type { OutgoingPdu, Pdu } from '../../src/smpp/pdu.js';
import { STATUS } from '../../src/smpp/statuses.js';
import { readTlv, tlv } from '../../src/smpp/tlvs.js';
import { anyPdu, hex } from './pdus.js';

function decoded(octets: Buffer): Pdu {
  const result = decodePdu(octets);
  if (result.kind !== 'pdu') throw new Error(`decoded to ${result.kind}`);
  return result.pdu;
}

/** A submit_sm by hand (SMPP 3.4 §4.4.1); each argument replaces one part. */
function submitHex({ length = '', destination = '39 39 39 35 37 00', esm = '00', sm = '05 68 65 6c 6c 6f', tlvs = '' } = {}): Buffer {
  const body = hex(`00 05 00 41 42 00 01 01 ${destination} ${esm} 00 00 00 00 01 00 00 00 ${sm} ${tlvs}`);
  const header = hex(`00000000 00000004 00000000 00000007`);
  header.writeUInt32BE(16 + body.length);
  if (length) hex(length).copy(header);
  return Buffer.concat([header, body]);
}

describe('vectors from SMPP 3.4', () => {
  // §3.2.2 of the standard prints this bind_transmitter octet by octet.
  const bind = hex(`00 00 00 2F 00 00 00 02 00 00 00 00 00 00 00 01 53 4D 50 50 33 54 45 53 54 00
    73 65 63 72 65 74 30 38 00 53 55 42 4D 49 54 31 00 00 01 01 00`);

  test("the standard's own bind_transmitter decodes to what the standard says, and encodes back", () => {
    const pdu = decoded(bind);
    expect(pdu).toEqual({
      command: 'bind_transmitter', commandStatus: 0, sequence: 1, tlvs: [],
      systemId: 'SMPP3TEST', password: 'secret08', systemType: 'SUBMIT1', interfaceVersion: 0, addrTon: 1, addrNpi: 1, addressRange: '',
    }); // biome-ignore format: one PDU
    expect(encodePdu(pdu).equals(bind)).toBe(true);
  });

  test('submit_sm with a text and two optional parameters', () => {
    const octets = submitHex({ tlvs: '0204 0002 1234 1400 0003 aabbcc' });
    const pdu = decoded(octets);
    expect(pdu).toMatchObject({
      command: 'submit_sm', sequence: 7, sourceAddrTon: 5, sourceAddr: 'AB', destAddrTon: 1, destAddrNpi: 1, destinationAddr: '99957',
      registeredDelivery: 1, shortMessage: Buffer.from('hello'),
    }); // biome-ignore format: one PDU
    expect(readTlv(pdu.tlvs, 'user_message_reference')).toBe(0x1234);
    expect(pdu.tlvs[1]).toEqual({ tag: 0x1400, value: hex('aabbcc') });
    expect(encodePdu(pdu).equals(octets)).toBe(true);
  });

  test.each([
    ['enquire_link', { command: 'enquire_link', sequence: 9 }, '00000010 00000015 00000000 00000009'],
    ['unbind_resp', { command: 'unbind_resp', sequence: 2 }, '00000010 80000006 00000000 00000002'],
    ['generic_nack', { command: 'generic_nack', sequence: 0, commandStatus: 2 }, '00000010 80000000 00000002 00000000'],
    ['submit_sm_resp', { command: 'submit_sm_resp', sequence: 5, messageId: 'a1' }, '00000013 80000004 00000000 00000005 613100'],
    ['a refusing submit_sm_resp has no body (§4.4.2)', { command: 'submit_sm_resp', sequence: 5, commandStatus: 0x58 }, '00000010 80000004 00000058 00000005'],
    ['deliver_sm_resp keeps its empty message_id (§4.6.2)', { command: 'deliver_sm_resp', sequence: 5 }, '00000011 80000005 00000000 00000005 00'],
    ['outbind (§4.1.7)', { command: 'outbind', sequence: 1, systemId: 'S', password: 'p' }, '00000014 0000000b 00000000 00000001 5300 7000'],
    ['query_sm (§4.8.1)', { command: 'query_sm', sequence: 1, messageId: 'a1', sourceAddrTon: 1, sourceAddrNpi: 1, sourceAddr: '9' }, '00000017 00000003 00000000 00000001 613100 01 01 3900'],
    ['query_sm_resp (§4.8.2)', { command: 'query_sm_resp', sequence: 1, messageId: 'a', finalDate: '', messageState: 2, errorCode: 7 }, '00000015 80000003 00000000 00000001 6100 00 02 07'],
    ['cancel_sm (§4.9.1)', { command: 'cancel_sm', sequence: 1, messageId: 'a', sourceAddr: '1', destinationAddr: '2' }, '0000001b 00000008 00000000 00000001 00 6100 0000 3100 0000 3200'],
    ['replace_sm (§4.10.1)', { command: 'replace_sm', sequence: 1, messageId: 'a', validityPeriod: '000001000000000R', registeredDelivery: 1, shortMessage: Buffer.from('x') }, '0000002b 00000007 00000000 00000001 6100 0000 00 00 30303030303130303030303030303052 00 01 00 01 78'],
    ['alert_notification (§4.12.1)', { command: 'alert_notification', sequence: 1, sourceAddrTon: 1, sourceAddr: '9', esmeAddrNpi: 1, esmeAddr: 'E' }, '00000018 00000102 00000000 00000001 01 00 3900 00 01 4500'],
    ['data_sm (§4.7.1)', { command: 'data_sm', sequence: 1, destinationAddr: '9', registeredDelivery: 1, dataCoding: 8, tlvs: [tlv('message_payload', hex('0041'))] }, '00000021 00000103 00000000 00000001 00 0000 00 0000 3900 00 01 08 0424 0002 0041'],
    ['submit_multi to a number and a list (§4.5.1)', { command: 'submit_multi', sequence: 1, destinations: [{ destAddrTon: 1, destAddrNpi: 1, destinationAddr: '9' }, { dlName: 'd' }], shortMessage: Buffer.from('x') }, '00000028 00000021 00000000 00000001 00 0000 00 02 01 01 01 3900 02 6400 00 00 00 00 00 00 00 00 00 01 78'],
    ['submit_multi_resp with unsuccess_sme (§4.5.2)', { command: 'submit_multi_resp', sequence: 1, messageId: 'a', unsuccessSmes: [{ destAddrTon: 1, destAddrNpi: 1, destinationAddr: '9', errorStatusCode: 0x0b }] }, '0000001b 80000021 00000000 00000001 6100 01 01 01 3900 0000000b'],
    ['bind_transceiver_resp with sc_interface_version', { command: 'bind_transceiver_resp', sequence: 1, systemId: 'S', tlvs: [tlv('sc_interface_version', 0x34)] }, '00000017 80000009 00000000 00000001 5300 0210 0001 34'],
  ] satisfies [string, OutgoingPdu, string][])('%s', (_name, pdu, expected) => {
    expect(encodePdu(pdu).toString('hex')).toBe(hex(expected).toString('hex'));
    const read = decoded(hex(expected));
    expect(read).toMatchObject(pdu);
    expect(encodePdu(read).equals(hex(expected))).toBe(true);
  }); // biome-ignore format: a table

  test('a response without a body has empty fields', () => {
    expect(decoded(hex('00000010 80000004 00000058 00000005'))).toMatchObject({
      command: 'submit_sm_resp',
      commandStatus: 0x58,
      messageId: '',
    });
  });

  test('receipted_message_id reads alike with and without its NUL, also before another parameter', () => {
    const octets = (id: string) => submitHex({ tlvs: `001e ${id} 0427 0001 02` });
    for (const id of ['0006 616263313233', '0007 61626331323300']) {
      const { tlvs } = decoded(octets(id));
      expect([readTlv(tlvs, 'receipted_message_id'), readTlv(tlvs, 'message_state')]).toEqual(['abc123', 2]);
    }
  });
});

describe('laws', () => {
  test('decode gives back whatever was encoded', () => {
    fc.assert(
      fc.property(anyPdu, (pdu) => {
        expect(decoded(encodePdu(pdu))).toEqual(pdu);
      }),
      { numRuns: 2_000, seed: 34 },
    );
  });

  test('PDUs of one batch are the same octets as each alone', () => {
    fc.assert(
      fc.property(fc.array(anyPdu, { minLength: 1, maxLength: 8 }), (pdus) => {
        const encoder = createEncoder();
        for (const pdu of pdus) encoder.append(pdu);
        expect(encoder.take().equals(Buffer.concat(pdus.map(encodePdu)))).toBe(true);
        expect(encoder.length).toBe(0);
      }),
      { numRuns: 200, seed: 34 },
    );
  });
});

describe('a body that breaks a bound is refused with its sequence and a status that names the field', () => {
  test.each([
    ['no body at all', hex('00000010 00000004 00000000 00000007'), 'ESME_RINVCMDLEN'],
    ['a destination of 200 digits', submitHex({ destination: `${'39'.repeat(200)} 00` }), 'ESME_RINVDSTADR'],
    ['an empty destination', submitHex({ destination: '00' }), 'ESME_RINVDSTADR'],
    ['sm_length 200 with 2 octets', submitHex({ sm: 'c8 6869' }), 'ESME_RINVMSGLEN'],
    ['a TLV cut in its header', submitHex({ tlvs: '0204 00' }), 'ESME_RINVOPTPARSTREAM'],
    ['a TLV of 0xffff octets past the end', submitHex({ tlvs: '1400 ffff 00' }), 'ESME_RINVOPTPARSTREAM'],
    ['an integer TLV cut short', submitHex({ tlvs: '0204 0001 12' }), 'ESME_RINVPARLEN'],
    ['an integer TLV that is too long', submitHex({ tlvs: '0427 0002 0002' }), 'ESME_RINVPARLEN'],
    ['an empty billing TLV', submitHex({ tlvs: '060b 0000' }), 'ESME_RINVPARLEN'],
    ['UDHI and no message', submitHex({ esm: '40', sm: '00' }), 'ESME_RINVESMCLASS'],
    ['a header cut by its last octet', submitHex({ esm: '40', sm: '05 0500030702' }), 'ESME_RINVESMCLASS'],
    ['UDHL 255', submitHex({ esm: '40', sm: '03 ff0003' }), 'ESME_RINVESMCLASS'],
    ['an element that runs past its header', submitHex({ esm: '40', sm: '06 050009 0102 03' }), 'ESME_RINVESMCLASS'],
    ['UDHI with a bad header in message_payload', submitHex({ esm: '40', sm: '00', tlvs: '0424 0002 0901' }), 'ESME_RINVESMCLASS'],
    ['an unterminated last string', hex('00000017 00000009 00000000 00000007 61626364656667'), 'ESME_RINVSYSID'],
    ['an enquire_link with a body that is no TLV', hex('00000012 00000015 00000000 00000007 0102'), 'ESME_RINVOPTPARSTREAM'],
  ] as const)('%s', (_name, octets, status) => {
    expect(decodePdu(octets)).toMatchObject({ kind: 'bad-body', sequence: 7, commandStatus: STATUS[status] });
  });

  test('a receipt that repeats the UDHI bit of its original is read', () => {
    const octets = submitHex({ esm: '44' });
    octets[7] = 5;
    expect(decodePdu(octets).kind).toBe('pdu');
  });

  test('times are kept as they came, in either form', () => {
    for (const validityPeriod of ['000001000000000R', '150203040506708+', '991231235959900-']) {
      const octets = encodePdu({ command: 'submit_sm', sequence: 7, destinationAddr: '9', validityPeriod });
      expect(decoded(octets)).toMatchObject({ validityPeriod });
    }
    for (const wrong of ['tomorrow', '000001000000000X', '00000100000000R']) {
      const octets = encodePdu({ command: 'submit_sm', sequence: 7, destinationAddr: '9', scheduleDeliveryTime: wrong });
      expect(decodePdu(octets)).toMatchObject({ kind: 'bad-body', commandStatus: STATUS.ESME_RINVSCHED });
    }
  });

  test('an unknown command keeps its sequence', () => {
    expect(decodePdu(hex('00000010 00000777 00000000 00000007'))).toEqual({ kind: 'unknown-command', commandId: 0x777, sequence: 7 });
  });

  test('a command_length that is not the length of the frame is a bad length', () => {
    expect(decodePdu(submitHex({ length: '00000010' }))).toEqual({ kind: 'bad-length', sequence: 7 });
    expect(decodePdu(hex('0000000f'))).toEqual({ kind: 'bad-length', sequence: 0 });
  });
});

describe('the encoder refuses what the wire cannot hold, names it, and writes nothing of it', () => {
  const nobody = { destAddrTon: 1, destAddrNpi: 1, destinationAddr: '9' };
  test.each([
    ['password', 'of 9 characters', { command: 'bind_transceiver', sequence: 1, password: '123456789' }],
    ['systemId', 'of 16 characters', { command: 'bind_transceiver', sequence: 1, systemId: '1234567890123456' }],
    ['sourceAddr', 'with a NUL', { command: 'submit_sm', sequence: 1, sourceAddr: 'A\0B' }],
    ['sourceAddr', 'with a character above U+00FF', { command: 'submit_sm', sequence: 1, sourceAddr: '€' }],
    ['dataCoding', 'past one octet', { command: 'submit_sm', sequence: 1, dataCoding: 256 }],
    ['dataCoding', 'below 0', { command: 'submit_sm', sequence: 1, dataCoding: -1 }],
    ['dataCoding', 'with a fraction', { command: 'submit_sm', sequence: 1, dataCoding: 1.5 }],
    ['shortMessage', 'of 255 octets', { command: 'submit_sm', sequence: 1, shortMessage: Buffer.alloc(255) }],
    ['destinations', 'of none', { command: 'submit_multi', sequence: 1, destinations: [] }],
    ['destinations', 'of 255', { command: 'submit_multi', sequence: 1, destinations: Array.from({ length: 255 }, () => nobody) }],
    ['dlName', 'of 21 characters', { command: 'submit_multi', sequence: 1, destinations: [{ dlName: 'd'.repeat(21) }] }],
    [
      'errorStatusCode',
      'past four octets',
      { command: 'submit_multi_resp', sequence: 1, unsuccessSmes: [{ ...nobody, errorStatusCode: 2 ** 32 }] },
    ],
    ['finalDate', 'of 17 characters', { command: 'query_sm_resp', sequence: 1, finalDate: '0'.repeat(17) }],
    ['TLV 0x0427', 'of a wrong length', { command: 'submit_sm', sequence: 1, tlvs: [{ tag: 0x0427, value: Buffer.alloc(2) }] }],
    ['TLV 65536', 'past two octets of tag', { command: 'submit_sm', sequence: 1, tlvs: [{ tag: 65_536, value: Buffer.alloc(2) }] }],
    ['the PDU', 'of more than 65,536 octets', { command: 'submit_sm', sequence: 1, tlvs: [{ tag: 0x0424, value: Buffer.alloc(65_520) }] }],
  ] satisfies [string, string, OutgoingPdu][])('%s %s', (name, _how, pdu) => {
    const encoder = createEncoder();
    const before: OutgoingPdu = { command: 'enquire_link', sequence: 1 };
    encoder.append(before);
    const detail = expect.stringMatching(new RegExp(`^${name} `));
    expect(() => encoder.append(pdu)).toThrowError(expect.objectContaining({ code: 'SMPP.BAD_PDU', detail }));
    expect(encoder.take().equals(encodePdu(before))).toBe(true);
  });
});
