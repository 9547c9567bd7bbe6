import fc from 'fast-check';
import type { OutgoingPdu } from '../../src/smpp/pdu.js';
import { COMMAND_NAMES, createPduMaker } from '../../tools/fuzz/random-pdu.js';

/** Any PDU that the encoder takes, of every command in the table. */
export const anyPdu: fc.Arbitrary<OutgoingPdu> = fc
  .tuple(fc.constantFrom(...COMMAND_NAMES), fc.integer({ min: 1, max: 0x7fff_ffff }))
  .map(([command, seed]) => createPduMaker(seed)(command));

/** Hex with spaces and line breaks, as the standard prints it. */
export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex');
