import { createRandom } from './random.js';

const INTERESTING = [0x00, 0x01, 0x1b, 0x40, 0x7f, 0x80, 0xfe, 0xff];

/** Breaks a valid PDU in one to four places: flips, edges, cuts, repeats, inserts. `isFramed` repairs command_length afterwards. */
export function createMutator(seed: number): (valid: Buffer, isFramed: boolean) => Buffer {
  const random = createRandom(seed);
  const mutateOnce = (octets: Buffer): Buffer => {
    const at = random(octets.length || 1);
    const edge = INTERESTING[random(INTERESTING.length)] ?? 0;
    switch (random(6)) {
      case 0:
        octets[at] = (octets[at] ?? 0) ^ (1 << random(8));
        return octets;
      case 1:
        octets[at] = edge;
        return octets;
      case 2:
        return octets.subarray(0, at);
      case 3:
        return Buffer.concat([octets.subarray(0, at), Buffer.alloc(random(40), edge), octets.subarray(at)]);
      case 4:
        return Buffer.concat([octets, octets.subarray(at)]);
      default:
        return Buffer.concat([octets.subarray(0, at), octets.subarray(Math.min(octets.length, at + 1 + random(8)))]);
    }
  };
  return (valid, isFramed) => {
    let octets: Buffer = Buffer.from(valid);
    for (let times = 1 + random(4); times > 0; times--) octets = mutateOnce(octets);
    if (isFramed && octets.length >= 4) octets.writeUInt32BE(octets.length);
    return octets;
  };
}
