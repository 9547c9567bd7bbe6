import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodePdu } from '../../src/smpp/encoder.js';
import { createFramer, type Framer } from '../../src/smpp/framer.js';
import { anyPdu, hex } from './pdus.js';

function drain(framer: Framer): Buffer[] {
  const frames: Buffer[] = [];
  for (let frame = framer.next(); frame; frame = framer.next()) frames.push(frame);
  return frames;
}

test('the same PDUs come out however the stream was cut, and whether they are pulled at once or later', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(fc.array(anyPdu, { minLength: 1, maxLength: 6 }), cuts, fc.boolean(), (pdus, sizes, isPulledLate) => {
      const each = pdus.map(encodePdu);
      const stream = Buffer.concat(each);
      const framer = createFramer();
      const frames: Buffer[] = [];
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1;
        framer.push(Buffer.from(stream.subarray(at, at + size)));
        at += size;
        if (!isPulledLate || turn % 3 === 0) frames.push(...drain(framer));
      }
      frames.push(...drain(framer));
      expect(frames.map((frame) => frame.toString('hex'))).toEqual(each.map((octets) => octets.toString('hex')));
      expect(framer.partialOctets).toBe(0);
    }),
    { numRuns: 500, seed: 34 },
  );
});

test.each([0, 1, 4, 15, 65_537, 0x7fff_ffff, 0xffff_ffff])(
  'command_length %i breaks the stream as soon as its four octets are in',
  (length) => {
    const framer = createFramer();
    const octets = Buffer.alloc(4);
    octets.writeUInt32BE(length);
    framer.push(octets.subarray(0, 3));
    expect([framer.next(), framer.broken]).toEqual([undefined, undefined]);
    framer.push(octets.subarray(3));
    expect(framer.next()).toBeUndefined();
    expect(framer.broken).toEqual({ commandLength: length, sequence: 0 });
  },
);

test('a broken stream names the sequence when the header is whole, in one chunk or in two, and yields nothing more', () => {
  const header = hex('0000000f 00000004 00000000 0000002a');
  for (const cut of [16, 5]) {
    const framer = createFramer();
    framer.push(header.subarray(0, cut));
    drain(framer);
    framer.push(header.subarray(cut));
    drain(framer);
    if (cut === 16) expect(framer.broken).toEqual({ commandLength: 15, sequence: 42 });
    framer.push(hex('00000010 00000015 00000000 00000001'));
    expect(framer.next()).toBeUndefined();
    expect(framer.broken).toBeDefined();
  }
});

test('16 and 65,536 are lengths', () => {
  const framer = createFramer();
  const longest = Buffer.alloc(65_536);
  longest.writeUInt32BE(65_536);
  framer.push(Buffer.concat([hex('00000010 00000015 00000000 00000001'), longest]));
  expect(drain(framer).map((frame) => frame.length)).toEqual([16, 65_536]);
});

test('a PDU that is whole in one chunk is not copied', () => {
  const framer = createFramer();
  const chunk = hex('00000010 00000015 00000000 00000001');
  framer.push(chunk);
  expect(framer.next()?.buffer).toBe(chunk.buffer);
});

test('an announced length takes no memory until its octets come', () => {
  const framer = createFramer();
  framer.push(hex('00010000 00000004'));
  framer.next();
  expect(framer.partialOctets).toBe(8);
});
