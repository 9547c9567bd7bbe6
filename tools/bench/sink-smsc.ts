/** A process that is an SMSC over TLS: it takes every submit_sm at once, but for those of an account that plays dead. Run by smpp-many. */
import { systemClock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import { type ListenerAccount, openListener } from '../../src/smpp/index.js';
import { CERT, KEY } from '../../test/smpp/certificate.js';

/** From the parent: the account that is dead from now on, or none. */
export interface Play {
  readonly dead: string | null;
}
/** To the parent: where it listens, once; then a word for each `Play` that was heard. */
export interface Told {
  readonly port: number;
}

let dead: string | null = null;
let count = 0;
const neverAnswered = new Promise<never>(() => undefined);

const account = (systemId: string): ListenerAccount => ({
  systemId,
  password: 'bench',
  bindTypes: ['transceiver'],
  bindsMax: 1,
  allowedAddresses: ['127.0.0.1'],
  handlers: {
    submit_sm: async () => (systemId === dead ? neverAnswered : { messageId: (++count).toString(16) }),
  },
});

const listener = await openListener({
  host: '127.0.0.1', port: 0, tls: { cert: CERT, key: KEY }, systemId: 'sink', findAccount: account,
  bounds: { inboundMax: 100_000 }, clock: systemClock, log: createLog('silent'),
}); // biome-ignore format: where, then how
const tell = () => process.send?.({ port: listener.port } satisfies Told);
process.on('message', (play: Play) => {
  dead = play.dead;
  tell();
});
process.on('disconnect', () => process.exit(0));
tell();
