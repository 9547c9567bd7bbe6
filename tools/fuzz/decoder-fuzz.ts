import { isDeepStrictEqual } from 'node:util';
import { type Decoded, decodePdu } from '../../src/smpp/decoder.js';
import { encodePdu } from '../../src/smpp/encoder.js';
import { messageContent, messageText, type Pdu, parseReceipt, readTlv, reassemblyKey, TLVS, type TlvName } from '../../src/smpp/index.js';
import { judge } from './judge.js';
import { createMutator } from './mutate.js';
import { createRandom } from './random.js';
import { COMMAND_NAMES, createPduMaker } from './random-pdu.js';

/** Mutated PDUs of every command at the decoder. */
export interface DecoderFuzz {
  /** @throws Error with the octets when the decoder broke a promise. */
  run(count: number): void;
  readonly done: number;
  /** How many came out as what. */
  readonly kinds: Readonly<Record<Decoded['kind'], number>>;
}

/** How many sound PDUs of each command there are to break. */
const SEEDS_PER_COMMAND = 40;

const NAME_BY_TAG = new Map(Object.entries(TLVS).map(([name, { tag }]) => [tag, name as TlvName]));

/** The same PDUs for the same seed. */
export function createDecoderFuzz(seed: number): DecoderFuzz {
  const random = createRandom(seed);
  const mutate = createMutator(seed ^ 0x5bd1e995);
  const make = createPduMaker(seed);
  const sound = Array.from({ length: SEEDS_PER_COMMAND }, () => COMMAND_NAMES.map((command) => encodePdu(make(command)))).flat();
  const kinds = { pdu: 0, 'bad-body': 0, 'unknown-command': 0, 'bad-length': 0 };
  let done = 0;

  function one(): void {
    const octets = mutate(sound[random(sound.length)] ?? Buffer.alloc(16), random(8) !== 0);
    try {
      const decoded = decodePdu(octets);
      kinds[decoded.kind]++;
      const problem = problemWith(octets, decoded);
      if (problem) throw new Error(problem);
    } catch (failure) {
      throw new Error(`seed ${seed}, PDU ${done}: ${octets.toString('hex')}`, { cause: failure });
    }
  }

  return {
    run(count) {
      for (let i = 0; i < count; i++, done++) one();
    },
    get done() {
      return done;
    },
    kinds,
  };
}

function problemWith(octets: Buffer, decoded: Decoded): string | undefined {
  if (octets.length < 16 || octets.length > 65_536 || octets.readUInt32BE(0) !== octets.length) {
    return decoded.kind === 'bad-length' ? undefined : `a wrong length came out as ${decoded.kind}`;
  }
  const { command, isSound, sequence } = judge(octets);
  const expected = command === undefined ? 'unknown-command' : isSound ? 'pdu' : 'bad-body';
  if (decoded.kind !== expected) return `it is a ${expected}, and came out as ${decoded.kind}`;
  if (decoded.kind !== 'pdu') return decoded.sequence === sequence ? undefined : 'another sequence came out';
  if (decoded.pdu.command !== command) return `it is a ${command}, and came out as ${decoded.pdu.command}`;
  use(decoded.pdu);
  return problemWithCopy(octets, decoded.pdu);
}

/** What is done with a PDU that was decoded must not throw either. */
function use(pdu: Pdu): void {
  for (const { tag } of pdu.tlvs) {
    const name = NAME_BY_TAG.get(tag);
    if (name !== undefined) readTlv(pdu.tlvs, name);
  }
  if (pdu.command !== 'submit_sm' && pdu.command !== 'deliver_sm') return;
  const content = messageContent(pdu);
  messageText(pdu);
  if (pdu.command !== 'deliver_sm') return;
  parseReceipt(pdu);
  reassemblyKey(pdu, content);
}

/** What was read is written again octet for octet, but for two forms that are read and not written. */
function problemWithCopy(octets: Buffer, pdu: Pdu): string | undefined {
  // A short message of 255 octets is SMPP 5.0's.
  if ('shortMessage' in pdu && pdu.shortMessage.length === 255) return undefined;
  const copy = encodePdu(pdu);
  if (copy.equals(octets)) return undefined;
  // A response may come without its body or with an empty one; ours has one when it is an OK and none when it refuses.
  const again = decodePdu(copy);
  const isSame = octets.readUInt32BE(4) >= 0x8000_0000 && again.kind === 'pdu' && isDeepStrictEqual(again.pdu, pdu);
  return isSame ? undefined : `it is written as ${copy.toString('hex')}`;
}
