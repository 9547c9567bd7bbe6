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
    ['bind_transceiver_resp with sc_interface_version', { command: 'bind_transceiver_resp', sequence: 1, systemId: 'S', tlvs: [tlv('sc_interface_version', 0x34)] }, '00000017 80000009 00000000 00000001 5300 0210 0001 34'],
  ] satisfies [string, OutgoingPdu, string][])('%s', (_name, pdu, expected) => {
    expect(encodePdu(pdu).toString('hex')).toBe(hex(expected).toString('hex'));
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

  test('an unknown command keeps its sequence', () => {
    expect(decodePdu(hex('00000010 00000777 00000000 00000007'))).toEqual({ kind: 'unknown-command', commandId: 0x777, sequence: 7 });
  });

  test('a command_length that is not the length of the frame is a bad length', () => {
    expect(decodePdu(submitHex({ length: '00000010' }))).toEqual({ kind: 'bad-length', sequence: 7 });
    expect(decodePdu(hex('0000000f'))).toEqual({ kind: 'bad-length', sequence: 0 });
  });
});

describe('the encoder refuses what the wire cannot hold, and writes nothing of it', () => {
  test.each([
    ['a password of 9 characters', { command: 'bind_transceiver', sequence: 1, password: '123456789' }],
    ['a system_id of 16 characters', { command: 'bind_transceiver', sequence: 1, systemId: '1234567890123456' }],
    ['a NUL in an address', { command: 'submit_sm', sequence: 1, sourceAddr: 'A\0B' }],
    ['a character above U+00FF', { command: 'submit_sm', sequence: 1, sourceAddr: '€' }],
    ['an integer past one octet', { command: 'submit_sm', sequence: 1, dataCoding: 256 }],
    ['a fraction', { command: 'submit_sm', sequence: 1, dataCoding: 1.5 }],
    ['255 octets of short_message', { command: 'submit_sm', sequence: 1, shortMessage: Buffer.alloc(255) }],
    ['a TLV of a wrong length', { command: 'submit_sm', sequence: 1, tlvs: [{ tag: 0x0427, value: Buffer.alloc(2) }] }],
    ['more than 65,536 octets', { command: 'submit_sm', sequence: 1, tlvs: [{ tag: 0x0424, value: Buffer.alloc(65_520) }] }],
  ] satisfies [string, OutgoingPdu][])('%s', (_name, pdu) => {
    const encoder = createEncoder();
    expect(() => encoder.append(pdu)).toThrowError(expect.objectContaining({ code: 'SMPP.BAD_PDU' }));
    expect(encoder.length).toBe(0);
  });
});
