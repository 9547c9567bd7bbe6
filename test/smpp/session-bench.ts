import type { Duplex } from 'node:stream';
import { createLog } from '../../src/kernel/log.js';
import { openSession, type Session } from '../../src/smpp/session.js';
import type { BindType, CloseReason, SessionOptions } from '../../src/smpp/session-options.js';
import type { SmppError } from '../../src/smpp/smpp-error.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { createPeer, createWire, type Peer } from './peer.js';

const log = createLog('silent');
/** A message's only field without which it is none. */
export const TO = { destinationAddr: '999570000001' };

/** A session under test, over a wire to a peer driven by hand. */
export interface Bench {
  session: Session;
  peer: Peer;
  clock: FakeClock;
  closed: CloseReason[];
  hold: () => void;
  near: Duplex;
}

export function start(role: 'esme' | 'smsc', given: Partial<SessionOptions> = {}): Bench {
  const clock = createFakeClock();
  const [near, far] = createWire();
  const closed: CloseReason[] = [];
  const session = openSession({ socket: near, role, clock, log, onClosed: (reason) => closed.push(reason), ...given });
  return { session, peer: createPeer(far), clock, closed, hold: far.hold, near };
}

export async function boundEsme(given: Partial<SessionOptions> = {}, type: BindType = 'transceiver'): Promise<Bench> {
  const bench = start('esme', given);
  const bound = bench.session.bind(type, { systemId: 'causeway' });
  const { sequence } = await bench.peer.next(`bind_${type}`);
  bench.peer.send({ command: `bind_${type}_resp`, sequence, systemId: 'SMSC' });
  await bound;
  return bench;
}

export async function boundSmsc(
  given: Partial<SessionOptions> = {},
  type: BindType = 'transceiver',
  interfaceVersion = 0x34,
): Promise<Bench> {
  const bench = start('smsc', {
    onBind: () => ({ commandStatus: 0 }),
    handlers: { submit_sm: async () => ({ messageId: 'm1' }) },
    ...given,
  });
  bench.peer.send({ command: `bind_${type}`, sequence: 1, systemId: 'esme', interfaceVersion });
  await bench.peer.next(`bind_${type}_resp`);
  return bench;
}

/** How a request ended, without throwing. */
export const outcomeOf = (request: Promise<{ messageId: string }>) =>
  request.then(
    ({ messageId }) => `response ${messageId}`,
    (failure: SmppError) => `${failure.code} ${failure.outcome}`,
  );
