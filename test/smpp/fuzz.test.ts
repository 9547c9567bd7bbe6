import { expect, test } from 'vitest';
import { reassemblyKey } from '../../src/smpp/concatenation.js';
import { decodePdu } from '../../src/smpp/decoder.js';
import { encodePdu } from '../../src/smpp/encoder.js';
import { createFramer } from '../../src/smpp/framer.js';
import { isResponse, type OutgoingPdu } from '../../src/smpp/pdu.js';
import { parseReceipt } from '../../src/smpp/receipts.js';
import { messageContent, messageText } from '../../src/smpp/text.js';
import { readTlv, TLVS, type TlvName, tlv } from '../../src/smpp/tlvs.js';
import { createMutator } from '../../tools/fuzz/mutate.js';

const message = { sourceAddr: '12345', destinationAddr: '999570000001', shortMessage: Buffer.from('050003070201hello', 'latin1') };
const SEEDS: OutgoingPdu[] = [
  { command: 'bind_transceiver', sequence: 1, systemId: 'causeway', password: 'sandbox', systemType: 'x', interfaceVersion: 0x34 },
  { command: 'bind_receiver_resp', sequence: 1, systemId: 'SMSC', tlvs: [tlv('sc_interface_version', 0x34)] },
  { command: 'submit_sm', sequence: 2, ...message, esmClass: 0x40, shortMessage: Buffer.from([5, 0, 3, 7, 2, 1, 104, 105]) },
  { command: 'submit_sm', sequence: 2, ...message, tlvs: [tlv('user_message_reference', 7), tlv('sar_total_segments', 2), { tag: 0x1400, value: Buffer.from('vendor') }] },
  { command: 'submit_sm_resp', sequence: 2, messageId: '0e99' },
  { command: 'deliver_sm', sequence: 3, ...message, esmClass: 4, tlvs: [tlv('receipted_message_id', '0e99'), tlv('message_state', 2), tlv('network_error_code', Buffer.from([3, 0, 1]))] },
  { command: 'deliver_sm', sequence: 3, destinationAddr: 'A', dataCoding: 8, tlvs: [tlv('message_payload', Buffer.alloc(300, 0x41))] },
  { command: 'deliver_sm_resp', sequence: 3 },
  { command: 'enquire_link', sequence: 4 },
  { command: 'unbind', sequence: 5 },
  { command: 'generic_nack', sequence: 0, commandStatus: 3 },
]; // biome-ignore format: one PDU a line
const ROUNDS = 60_000;

test(`${ROUNDS} mutated PDUs decode to a PDU or to a refusal, and never throw; what decodes can be read and sent on`, () => {
  const mutate = createMutator(0xc0ffee);
  const valid = SEEDS.map(encodePdu);
  const kinds = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const octets = mutate(valid[round % valid.length] ?? Buffer.alloc(0), round % 4 !== 0);
    const decoded = decodePdu(octets);
    kinds.set(decoded.kind, (kinds.get(decoded.kind) ?? 0) + 1);
    if (decoded.kind !== 'pdu') continue;
    const { pdu } = decoded;
    for (const name of Object.keys(TLVS) as TlvName[]) readTlv(pdu.tlvs, name);
    if (pdu.command === 'submit_sm' || pdu.command === 'deliver_sm') {
      messageContent(pdu);
      messageText(pdu);
    }
    if (pdu.command === 'deliver_sm') {
      parseReceipt(pdu);
      reassemblyKey(pdu, messageContent(pdu));
    }
    // A short message of 255 octets is SMPP 5.0's: read, not written. A response may come without its body.
    if ('shortMessage' in pdu && pdu.shortMessage.length > 254) continue;
    const again = encodePdu(pdu);
    if (!isResponse(pdu)) expect(again.equals(octets)).toBe(true);
    expect(decodePdu(again)).toEqual(decoded);
  }
  // A mutator that only ever broke the length would prove nothing.
  for (const kind of ['pdu', 'bad-body', 'unknown-command', 'bad-length']) expect(kinds.get(kind) ?? 0).toBeGreaterThan(200);
});

test('20,000 chunks of mutated stream never make the framer throw or hold more than one PDU', () => {
  const mutate = createMutator(0xbadf00d);
  const valid = SEEDS.map(encodePdu);
  let framer = createFramer();
  let broken = 0;
  for (let round = 0; round < 20_000; round++) {
    const octets = mutate(valid[round % valid.length] ?? Buffer.alloc(0), false);
    framer.push(octets.subarray(0, 1 + (round % Math.max(1, octets.length))));
    while (framer.next());
    expect(framer.partialOctets).toBeLessThanOrEqual(65_536);
    if (framer.broken) {
      broken++;
      framer = createFramer();
    }
  }
  expect(broken).toBeGreaterThan(100);
});
