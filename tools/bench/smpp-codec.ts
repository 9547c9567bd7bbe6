import smpp from 'smpp';
import { createEncoder, decodePdu, decodeText, encodeGsm } from '../../src/smpp/index.js';
import { type Bench, type Round, type Side, timed } from './bench.js';

/** 160 characters of the default alphabet, some of them not ASCII, so that a table is really looked into. */
const TEXT = 'Ihr Datenpaket für 4,99 $ läuft bald ab. Sie können es jederzeit kündigen: antworten Sie mit STOPP. Viele Grüße @ '.padEnd(
  160,
  'Causeway ',
);

const INTEGERS = { sourceAddrTon: 5, sourceAddrNpi: 2, destAddrTon: 1, destAddrNpi: 3, esmClass: 4, protocolId: 7, priorityFlag: 1, registeredDelivery: 1, replaceIfPresentFlag: 1, dataCoding: 0, smDefaultMsgId: 9 }; // biome-ignore format: one message
/** The times are empty, as they mostly are: the peer turns one that is given into a Date, which takes it much longer. */
const STRINGS = {
  serviceType: 'CMT',
  sourceAddr: 'CAUSEWAY',
  destinationAddr: '999570000001',
  scheduleDeliveryTime: '',
  validityPeriod: '',
};

/** What reading every mandatory field and the text comes to; one that was left out or read wrongly changes it. */
function readSum(strings: readonly string[], integers: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < strings.length; i++) {
    const string = strings[i] ?? '';
    sum += (i + 1) * string.length + (string.length > 0 ? string.charCodeAt(string.length - 1) : 0);
  }
  for (let i = 0; i < integers.length; i++) sum += (i + 1) * (integers[i] ?? -1);
  return sum;
}
const EXPECTED = readSum([...Object.values(STRINGS), TEXT], Object.values(INTEGERS));

const encoder = createEncoder();

function ourRoundTrip(sequence: number): number {
  const shortMessage = encodeGsm(TEXT);
  if (!shortMessage) return Number.NaN;
  encoder.append({
    command: 'submit_sm', sequence,
    serviceType: STRINGS.serviceType, sourceAddrTon: INTEGERS.sourceAddrTon, sourceAddrNpi: INTEGERS.sourceAddrNpi, sourceAddr: STRINGS.sourceAddr,
    destAddrTon: INTEGERS.destAddrTon, destAddrNpi: INTEGERS.destAddrNpi, destinationAddr: STRINGS.destinationAddr, esmClass: INTEGERS.esmClass,
    protocolId: INTEGERS.protocolId, priorityFlag: INTEGERS.priorityFlag, scheduleDeliveryTime: STRINGS.scheduleDeliveryTime,
    validityPeriod: STRINGS.validityPeriod, registeredDelivery: INTEGERS.registeredDelivery, replaceIfPresentFlag: INTEGERS.replaceIfPresentFlag,
    dataCoding: INTEGERS.dataCoding, smDefaultMsgId: INTEGERS.smDefaultMsgId, shortMessage,
  }); // biome-ignore format: one message
  const decoded = decodePdu(encoder.take());
  if (decoded.kind !== 'pdu' || decoded.pdu.command !== 'submit_sm' || decoded.pdu.sequence !== sequence) return Number.NaN;
  const { pdu } = decoded;
  return readSum(
    [pdu.serviceType, pdu.sourceAddr, pdu.destinationAddr, pdu.scheduleDeliveryTime, pdu.validityPeriod, decodeText(pdu.shortMessage, pdu.dataCoding) ?? ''],
    [pdu.sourceAddrTon, pdu.sourceAddrNpi, pdu.destAddrTon, pdu.destAddrNpi, pdu.esmClass, pdu.protocolId, pdu.priorityFlag, pdu.registeredDelivery, pdu.replaceIfPresentFlag, pdu.dataCoding, pdu.smDefaultMsgId],
  ); // biome-ignore format: one list of texts, one of integers
}

type SnakeCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeCase<Tail>}`
  : S;
/** What their decoder makes of a submit_sm; it has no types of its own. */
type TheirSubmit = { readonly [Name in keyof typeof STRINGS as SnakeCase<Name>]: string } & {
  readonly [Name in keyof typeof INTEGERS as SnakeCase<Name>]: number;
} & { readonly sequence_number: number; readonly short_message: { readonly message: string } };

function theirRoundTrip(sequence: number): number {
  const fields = {
    sequence_number: sequence,
    service_type: STRINGS.serviceType, source_addr_ton: INTEGERS.sourceAddrTon, source_addr_npi: INTEGERS.sourceAddrNpi, source_addr: STRINGS.sourceAddr,
    dest_addr_ton: INTEGERS.destAddrTon, dest_addr_npi: INTEGERS.destAddrNpi, destination_addr: STRINGS.destinationAddr, esm_class: INTEGERS.esmClass,
    protocol_id: INTEGERS.protocolId, priority_flag: INTEGERS.priorityFlag, schedule_delivery_time: STRINGS.scheduleDeliveryTime,
    validity_period: STRINGS.validityPeriod, registered_delivery: INTEGERS.registeredDelivery, replace_if_present_flag: INTEGERS.replaceIfPresentFlag,
    data_coding: INTEGERS.dataCoding, sm_default_msg_id: INTEGERS.smDefaultMsgId, short_message: TEXT,
  }; // biome-ignore format: one message
  const octets = new smpp.PDU('submit_sm', fields).toBuffer();
  const pdu = new smpp.PDU(octets) as unknown as TheirSubmit;
  if (pdu.sequence_number !== sequence) return Number.NaN;
  return readSum(
    [pdu.service_type, pdu.source_addr, pdu.destination_addr, pdu.schedule_delivery_time, pdu.validity_period, pdu.short_message.message],
    [pdu.source_addr_ton, pdu.source_addr_npi, pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.esm_class, pdu.protocol_id, pdu.priority_flag, pdu.registered_delivery, pdu.replace_if_present_flag, pdu.data_coding, pdu.sm_default_msg_id],
  ); // biome-ignore format: one list of texts, one of integers
}

function side(name: string, operations: number, roundTrip: (sequence: number) => number): Side {
  return {
    name,
    round: (): Promise<Round> =>
      timed(operations, () => {
        for (let sequence = 1; sequence <= operations; sequence++) {
          if (roundTrip(sequence) !== EXPECTED) throw new Error(`${name}: submit_sm ${sequence} did not come back as it was`);
        }
      }),
  };
}

export const bench: Bench = {
  name: 'smpp-codec',
  what: 'encodes and decodes a submit_sm of 160 characters and reads every mandatory field and the text, beside the smpp package.',
  open: async () => ({
    comparisons: [
      { name: '', unit: 'round trips/s', isMoreBetter: true, ours: side('ours', 400_000, ourRoundTrip), peer: side('smpp 0.5.1', 40_000, theirRoundTrip) },
    ], // biome-ignore format: one comparison
    close: async () => undefined,
  }),
};
