import fc from 'fast-check';
import { COMMANDS, type CommandName, type CommandSpec, ESM_CLASS, isResponseId, type OutgoingPdu } from '../../src/smpp/pdu.js';
import { TLVS, type Tlv } from '../../src/smpp/tlvs.js';

const cstring = (octetsMax: number) =>
  fc.string({ unit: fc.integer({ min: 1, max: 0xff }).map((c) => String.fromCharCode(c)), maxLength: octetsMax - 1 });
const octets = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes));

const knownTlv = fc
  .constantFrom(...Object.values(TLVS))
  .chain(({ tag, min, max }) => octets(Math.min(max, 300), min).map((value): Tlv => ({ tag, value })));
const unknownTlv = fc.tuple(fc.integer({ min: 0x1400, max: 0x3fff }), octets(40)).map(([tag, value]): Tlv => ({ tag, value }));

const names = Object.keys(COMMANDS) as CommandName[];

/** Any PDU that the encoder takes, of every command in the table. */
export const anyPdu: fc.Arbitrary<OutgoingPdu> = fc.constantFrom(...names).chain((command) => {
  const spec: CommandSpec = COMMANDS[command];
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const field of spec.fields) {
    if (field.kind === 'cstring') fields[field.name] = cstring(field.octetsMax);
    else fields[field.name] = field.kind === 'uint8' ? fc.integer({ min: 0, max: 0xff }) : octets(254);
  }
  // What checks of meaning ask for: a destination, and no header announced that is not there.
  if ('destinationAddr' in fields) fields['destinationAddr'] = cstring(21).filter((text) => text !== '');
  if ('esmClass' in fields) fields['esmClass'] = fc.integer({ min: 0, max: 0xff }).map((bits) => bits & ~ESM_CLASS.udhi);
  const commandStatus = isResponseId(spec.id) ? fc.constantFrom(0, 8, 0x58, 0xffff_ffff) : fc.constant(0);
  return fc.record({
    ...fields,
    command: fc.constant(command),
    sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
    commandStatus,
    tlvs: fc.array(fc.oneof(knownTlv, unknownTlv), { maxLength: 4 }),
  }) as unknown as fc.Arbitrary<OutgoingPdu>;
});

/** Hex with spaces and line breaks, as the standard prints it. */
export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex');
