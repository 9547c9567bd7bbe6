import { expect, test } from 'vitest';
import { createDecoderFuzz } from '../../tools/fuzz/decoder-fuzz.js';
import { createSocketFuzz, PDU_READ_TIMEOUT_MS } from '../../tools/fuzz/socket-fuzz.js';
import { createFakeClock } from '../fakes/clock.js';

const DECODED = 1_000_000;
const SENT = 20_000;
/** One run is the same as the next; `npm run fuzz` takes others. */
const SEED = 0xc0ffee;
/** Some 15 s on an idle machine. */
const PATIENCE_MS = 300_000;

test(
  `${DECODED} mutated PDUs of every command come out as what they are, and what comes out can be read and written again`,
  () => {
    const fuzz = createDecoderFuzz(SEED);
    fuzz.run(DECODED);
    // Enough of each kind for the claim to mean something.
    for (const count of Object.values(fuzz.kinds)) expect(count).toBeGreaterThan(DECODED / 20);
  },
  PATIENCE_MS,
);

test(
  `${SENT} mutated PDUs over sockets: each is answered or cut off, never with an OK for what is broken`,
  async () => {
    const clock = createFakeClock();
    let moving = Promise.resolve();
    const passTime = () => {
      moving = moving.then(() => clock.advance(PDU_READ_TIMEOUT_MS));
      return moving;
    };
    const fuzz = await createSocketFuzz({ seed: SEED, clock, passTime });
    await fuzz.run(SENT);
    expect(fuzz.done).toBe(SENT);
    for (const count of Object.values(fuzz.counts)) expect(count).toBeGreaterThan(100);
    await fuzz.close();
  },
  PATIENCE_MS,
);
