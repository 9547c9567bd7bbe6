/**
 * Takes packed septets apart (3GPP TS 23.038 §6.1.2.1), one an octet, as the few SMSCs send them that hand on what the radio carried.
 *
 * SMPP counts octets, so that seven bits of padding look like a last `@`: one in that place is taken for padding.
 *
 * @param headerOctets the length of the user data header before them, 0 for none: the first septet begins at the next
 *   boundary of seven bits (TS 23.040 §9.2.3.24).
 */
export function unpackSeptets(packed: Buffer, headerOctets: number): Buffer {
  const fillBits = (7 - ((headerOctets * 8) % 7)) % 7;
  const bits = packed.length * 8 - fillBits;
  const count = Math.max(0, Math.floor(bits / 7));
  const septets = Buffer.alloc(count);
  for (let i = 0; i < count; i++) {
    const bit = fillBits + i * 7;
    const at = bit >> 3;
    septets[i] = (((packed[at] ?? 0) | ((packed[at + 1] ?? 0) << 8)) >> (bit & 7)) & 0x7f;
  }
  return bits % 7 === 0 && septets.at(-1) === 0 ? septets.subarray(0, -1) : septets;
}
