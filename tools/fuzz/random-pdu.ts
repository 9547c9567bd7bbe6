import { COMMANDS, type CommandName, commandSpec, isResponseId } from '../../src/smpp/commands.js';
import type { FieldIo } from '../../src/smpp/field-io.js';
import { ESM_CLASS, type OutgoingPdu } from '../../src/smpp/pdu.js';
import { TLVS, type Tlv } from '../../src/smpp/tlvs.js';
import { createRandom } from './random.js';

export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** Makes sound PDUs of every command, walking the same layouts as the codec; the same ones for the same seed. */
export function createPduMaker(seed: number): (command: CommandName) => OutgoingPdu {
  const random = createRandom(seed);
  const octets = (count: number): Buffer => Buffer.from(Array.from({ length: count }, () => random(256)));
  const isRare = (): boolean => random(8) === 0;

  function text(lengthMin: number, lengthMax: number): string {
    const length = isRare() ? lengthMax : lengthMin + random(Math.min(lengthMax, 20) - lengthMin + 1);
    // Mostly what addresses are made of, at times any character of Latin-1.
    const character = isRare() ? () => 1 + random(255) : () => 0x30 + random(10);
    return String.fromCharCode(...Array.from({ length }, character));
  }

  const time = (): string => (random(2) === 0 ? '' : `${String(100_000_000_000_000 + random(1_000_000)).slice(0, 15)}${'+-R'[random(3)]}`);

  const io: FieldIo = {
    cString(name, _given, octetsMax) {
      if (name === 'scheduleDeliveryTime' || name === 'validityPeriod') return time();
      return text(REQUIRED.has(name) ? 1 : 0, octetsMax - 1);
    },
    uint8(name) {
      if (name === 'destFlag') return 1 + random(2);
      // Without a header that would have to be there.
      return name === 'esmClass' ? random(256) & ~ESM_CLASS.udhi : random(256);
    },
    uint32: () => random(0x1_0000_0000),
    octets: () => octets(isRare() ? 254 : random(160)),
    list: (_name, _given, countMin, _wrong, each) =>
      Array.from({ length: isRare() ? 254 : countMin + random(5) }, () => each(io, undefined)),
    refuse(name) {
      throw new Error(`a layout refused ${name}`);
    },
  };

  function parameter(): Tlv {
    if (random(3) === 0) return { tag: 0x1400 + random(0x2c00), value: octets(random(40)) };
    const spec = KNOWN_TLVS[random(KNOWN_TLVS.length)];
    if (!spec) throw new Error('no TLVs');
    return { tag: spec.tag, value: octets(spec.min + random(Math.min(spec.max, 300) - spec.min + 1)) };
  }

  return (command) => {
    const spec = commandSpec(command);
    const commandStatus = isResponseId(spec.id) ? (STATUSES[random(STATUSES.length)] ?? 0) : 0;
    const sequence = 1 + random(0x7fff_ffff);
    const tlvs = Array.from({ length: isRare() ? 8 : random(3) }, parameter);
    return spec.layout(io, { command, commandStatus, sequence, tlvs }, {}) as unknown as OutgoingPdu;
  };
}

/** What may not be empty. */
const REQUIRED: ReadonlySet<string> = new Set(['destinationAddr', 'dlName', 'messageId']);
const STATUSES = [0, 0, 8, 0x58, 0xffff_ffff];
const KNOWN_TLVS = Object.values(TLVS);
