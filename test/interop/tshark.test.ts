/** Wireshark's dissector reads every PDU that we write, and has nothing to complain of. */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import { COMMANDS, type CommandName } from '../../src/smpp/commands.js';
import {
  createFramer, encodePdu, type Link, type ListenerAccount, type OutgoingPdu, openLink, openListener, STATUS, segments, TLVS, type Tlv, type TlvName, tlv,
} from '../../src/smpp/index.js'; // biome-ignore format: one list
import { COMMAND_NAMES, createPduMaker } from '../../tools/fuzz/random-pdu.js';
import { dissect, skipReason } from './tshark.js';

const PATIENCE_MS = 120_000;
const PDUS_PER_COMMAND = 20;

/** Each parameter by its own kind: an integer that it may have, a text, or octets of its shortest form. */
function anyValueOf(name: TlvName): Tlv {
  const { tag, kind, min, max } = TLVS[name];
  if (kind === 'uint') return { tag, value: Buffer.concat([Buffer.alloc(min - 1), Buffer.from([1])]) };
  if (kind === 'text') return { tag, value: Buffer.from('abc1234\0') };
  return { tag, value: Buffer.alloc(Math.max(min, Math.min(max, name === 'ms_validity' ? 1 : 7)), 0x31) };
}

/** Where a part stands in its message: its reference, how many there are, which it is. */
const UDH = ['gsm_sms.udh.mm.msg_id', 'gsm_sms.udh.mm.msg_parts', 'gsm_sms.udh.mm.msg_part'];
const SAR = ['smpp.sar_msg_ref_num', 'smpp.sar_total_segments', 'smpp.sar_segment_seqnum'];
const PLACE_FIELDS = { udh8: UDH, udh16: UDH, sar: SAR, payload: [] };

const commandId = (octets: Buffer): string => `0x${octets.readUInt32BE(4).toString(16).padStart(8, '0')}`;

describe.skipIf(skipReason !== undefined)(`tshark${skipReason ? ` (${skipReason})` : ''}`, () => {
  test(`reads ${PDUS_PER_COMMAND} of every command as we wrote them`, { timeout: PATIENCE_MS }, () => {
    const make = createPduMaker(0x7a5);
    const written = COMMAND_NAMES.flatMap((command) => Array.from({ length: PDUS_PER_COMMAND }, () => ({ ...make(command), tlvs: [] })));
    const octets = written.map((pdu) => encodePdu(pdu as OutgoingPdu));
    const read = dissect(octets, ['smpp.command_id', 'smpp.sequence_number', 'smpp.command_status', 'smpp.message_id']);
    for (const [i, { fields, complaints }] of read.entries()) {
      const pdu = written[i];
      expect({ command: pdu?.command, complaints }).toEqual({ command: pdu?.command, complaints: [] });
      expect(fields['smpp.command_id']).toEqual([commandId(octets[i] ?? Buffer.alloc(8))]);
      expect(fields['smpp.sequence_number']).toEqual([String(pdu?.sequence)]);
    }
  });

  test('reads every TLV', { timeout: PATIENCE_MS }, () => {
    const names = Object.keys(TLVS) as TlvName[];
    const octets = names.map((name) => encodePdu({ command: 'data_sm', sequence: 1, destinationAddr: '1', tlvs: [anyValueOf(name)] }));
    const read = dissect(octets, ['smpp.opt_param_tag', 'smpp.opt_param_len']);
    const problems = read.flatMap(({ complaints }, i) => complaints.map((complaint) => `${names[i]}: ${complaint}`));
    expect(problems).toEqual([]);
    expect(read.map(({ fields }) => fields['smpp.opt_param_tag'])).toEqual(
      names.map((name) => [`0x${TLVS[name].tag.toString(16).padStart(4, '0')}`]),
    );
  });

  test('reads long messages however they are cut, and what is in them', { timeout: PATIENCE_MS }, () => {
    const text = 'Der Zug fährt um 7 Uhr. '.repeat(20).trim();
    const from = { sourceAddr: 'CAUSEWAY', sourceAddrTon: 5 };
    const to = { destinationAddr: '999570000001', destAddrTon: 1, destAddrNpi: 1 };
    for (const method of ['udh8', 'udh16', 'sar', 'payload'] as const) {
      const parts = segments(text, { method, reference: 0x1201 }).segments;
      const octets = parts.map((part) => encodePdu({ command: 'submit_sm', sequence: 1, ...from, ...to, registeredDelivery: 1, ...part }));
      const read = dissect(octets, [...PLACE_FIELDS[method], 'smpp.source_addr', 'smpp.destination_addr', 'smpp.message_text']);
      const of = (name: string) => read.flatMap(({ fields }) => fields[name] ?? []);
      expect({ method, complaints: read.flatMap(({ complaints }) => complaints) }).toEqual({ method, complaints: [] });
      expect(new Set([...of('smpp.source_addr'), ...of('smpp.destination_addr')])).toEqual(new Set(['CAUSEWAY', '999570000001']));
      expect(of('smpp.message_text').join('')).toBe(text);
      const reference = method === 'udh8' ? 0x01 : 0x1201;
      const places = parts.map((_, i) => [reference, parts.length, i + 1].map(String));
      expect(parts.map((_, i) => PLACE_FIELDS[method].map((name) => read[i]?.fields[name]?.[0]))).toEqual(
        method === 'payload' ? [[]] : places,
      );
    }
  });

  test('reads a whole conversation of our link with our listener, off the wire', { timeout: PATIENCE_MS }, async () => {
    const { octets, commands } = await recordConversation();
    const read = dissect(octets, ['smpp.command_id']);
    expect(read.flatMap(({ complaints }) => complaints)).toEqual([]);
    expect(read.map(({ fields }) => fields['smpp.command_id']?.[0])).toEqual(octets.map(commandId));
    // All that either side can say, but for what is only said to what nobody understands.
    const unsaid = COMMAND_NAMES.filter((name) => !commands.has(name)).sort();
    expect(unsaid).toEqual(['bind_receiver', 'bind_receiver_resp', 'bind_transmitter', 'bind_transmitter_resp', 'generic_nack', 'outbind']);
  });
});

/** A link and a listener say all that they can, through a relay that keeps every octet. */
async function recordConversation(): Promise<{ octets: Buffer[]; commands: Set<CommandName> }> {
  const log = createLog('silent');
  const octets: Buffer[] = [];
  const failed = [{ destAddrTon: 1, destAddrNpi: 1, destinationAddr: '999570000009', errorStatusCode: STATUS.ESME_RINVDSTADR }];
  const account: ListenerAccount = {
    systemId: 'eplus-app', password: 'sandbox', bindTypes: ['transceiver'], bindsMax: 1, allowedAddresses: ['127.0.0.1'],
    handlers: {
      submit_sm: async () => ({ messageId: '0e99', tlvs: [tlv('congestion_state', 3)] }),
      submit_multi: async () => ({ messageId: '0e9a', unsuccessSmes: failed }),
      data_sm: async () => ({ messageId: '0e9b' }),
      query_sm: async ({ messageId }) => ({ messageId, finalDate: '261122100000000+', messageState: 2 }),
      cancel_sm: async () => ({}),
      replace_sm: async () => ({}),
    },
  }; // biome-ignore format: who it is, then what it does
  const listener = await openListener({
    host: '127.0.0.1',
    port: 0,
    systemId: 'causeway',
    findAccount: () => account,
    clock: systemClock,
    log,
  });
  const relay = await openRelay(listener.port, octets);
  const link = await new Promise<Link>((resolve) => {
    const opened = openLink({
      host: '127.0.0.1', port: relay.port, systemId: 'eplus-app', password: 'sandbox', enquireLinkMs: 5, clock: systemClock, log,
      onDeliver: async () => undefined,
      onData: async () => undefined,
      onStateChange: ({ state }) => state === 'bound' && resolve(opened),
    }); // biome-ignore format: where, then what happens
  });
  const from = { sourceAddr: 'CAUSEWAY', sourceAddrTon: 5 };
  const to = { destinationAddr: '999570000001', destAddrTon: 1, destAddrNpi: 1 };
  const payload = [tlv('message_payload', Buffer.from('hello'))];
  await link.submit({ ...from, ...to, validityPeriod: '000001000000000R', shortMessage: Buffer.from('hello') });
  await link.submitMulti({ ...from, destinations: [{ ...to }, { dlName: 'staff' }], shortMessage: Buffer.from('hello') });
  await link.dataSm({ ...from, ...to, tlvs: payload });
  await link.querySm({ messageId: '0e99', ...from });
  await link.cancelSm({ messageId: '0e99', ...from, ...to });
  await link.replaceSm({ messageId: '0e99', ...from, shortMessage: Buffer.from('hello again') });
  const receipt = 'id:0e99 sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 text:hello';
  const receiptTlvs = [tlv('receipted_message_id', '0e99'), tlv('message_state', 2), tlv('network_error_code', Buffer.from([3, 0, 0]))];
  await listener.deliver('eplus-app', { ...to, esmClass: 4, shortMessage: Buffer.from(receipt), tlvs: receiptTlvs });
  await listener.deliverData('eplus-app', { ...to, tlvs: payload });
  listener.alert('eplus-app', {
    sourceAddr: '999570000001',
    sourceAddrTon: 1,
    esmeAddr: 'CAUSEWAY',
    tlvs: [tlv('ms_availability_status', 0)],
  });
  while (!link.lastEnquireLink) await new Promise((resolve) => setImmediate(resolve));
  await link.close();
  await listener.close();
  await relay.close();
  const names = Object.keys(COMMANDS) as CommandName[];
  const said = names.filter((name) => octets.some((each) => each.readUInt32BE(4) === COMMANDS[name].id));
  return { octets, commands: new Set(said) };
}

/** Passes octets on both ways, and keeps each PDU in the order in which it came by. */
async function openRelay(toPort: number, octets: Buffer[]): Promise<{ port: number; close(): Promise<void> }> {
  const server: Server = createServer((near) => {
    const far = connect(toPort, '127.0.0.1');
    for (const [source, sink] of [[near, far], [far, near]] as const) {
      const framer = createFramer();
      source.on('data', (chunk: Buffer) => {
        framer.push(Buffer.from(chunk));
        for (let frame = framer.next(); frame; frame = framer.next()) octets.push(frame);
        sink.write(chunk);
      });
      source.on('end', () => sink.end());
      source.on('error', () => sink.destroy());
    } // biome-ignore format: two ways
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    close: () => new Promise((resolve) => void server.close(() => resolve())),
  };
}
