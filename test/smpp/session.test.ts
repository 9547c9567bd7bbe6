import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLog } from '../../src/kernel/log.js';
import { createInFlight } from '../../src/smpp/in-flight.js';
import type { OutgoingPdu } from '../../src/smpp/pdu.js';
import { openSession, type Session } from '../../src/smpp/session.js';
import type { CloseReason, Handlers, SessionOptions } from '../../src/smpp/session-options.js';
import { RefusedWith, type SmppError } from '../../src/smpp/smpp-error.js';
import { STATUS } from '../../src/smpp/statuses.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { hex } from './pdus.js';
import { createPeer, createWire, type Peer, turns } from './peer.js';

const log = createLog('silent');
const TO = { destinationAddr: '999570000001' };

interface Bench {
  session: Session;
  peer: Peer;
  clock: FakeClock;
  closed: CloseReason[];
  hold: () => void;
  near: Duplex;
}

function start(role: 'esme' | 'smsc', given: Partial<SessionOptions> = {}): Bench {
  const clock = createFakeClock();
  const [near, far] = createWire();
  const closed: CloseReason[] = [];
  const session = openSession({ socket: near, role, clock, log, onClosed: (reason) => closed.push(reason), ...given });
  return { session, peer: createPeer(far), clock, closed, hold: far.hold, near };
}

async function boundEsme(given: Partial<SessionOptions> = {}): Promise<Bench> {
  const bench = start('esme', given);
  const bound = bench.session.bind('transceiver', { systemId: 'causeway' });
  const { sequence } = await bench.peer.next('bind_transceiver');
  bench.peer.send({ command: 'bind_transceiver_resp', sequence, systemId: 'SMSC' });
  await bound;
  return bench;
}

async function boundSmsc(
  given: Partial<SessionOptions> = {},
  command: 'bind_transceiver' | 'bind_receiver' | 'bind_transmitter' = 'bind_transceiver',
) {
  const bench = start('smsc', {
    onBind: () => ({ commandStatus: 0 }),
    handlers: { submit_sm: async () => ({ messageId: 'm1' }) },
    ...given,
  });
  bench.peer.send({ command, sequence: 1, systemId: 'esme' });
  await bench.peer.next(`${command}_resp`);
  return bench;
}

/** How a request ended, without throwing. */
const outcomeOf = (request: Promise<{ messageId: string }>) =>
  request.then(
    ({ messageId }) => `response ${messageId}`,
    (failure: SmppError) => `${failure.code} ${failure.outcome}`,
  );

describe('a request in flight is settled exactly once', () => {
  test('by its response', async () => {
    const { session, peer } = await boundEsme();
    const submitted = session.request('submit_sm', TO);
    const { sequence } = await peer.next('submit_sm');
    expect(session.windowUsed).toBe(1);
    peer.send({ command: 'submit_sm_resp', sequence, messageId: 'a1' });
    expect(await submitted).toMatchObject({ messageId: 'a1' });
    expect(session.windowUsed).toBe(0);
    peer.destroy();
  });

  test('by a refusal, which keeps the status and its name', async () => {
    const { session, peer } = await boundEsme();
    const submitted = session.request('submit_sm', TO);
    const { sequence } = await peer.next('submit_sm');
    peer.send({ command: 'submit_sm_resp', sequence, commandStatus: STATUS.ESME_RTHROTTLED });
    await expect(submitted).rejects.toMatchObject({
      code: 'SMPP.REFUSED',
      outcome: 'refused',
      commandStatus: 0x58,
      statusName: 'ESME_RTHROTTLED',
    });
    const nacked = session.request('submit_sm', TO);
    peer.send({ command: 'generic_nack', sequence: (await peer.next('submit_sm')).sequence, commandStatus: STATUS.ESME_RINVCMDID });
    await expect(nacked).rejects.toMatchObject({ statusName: 'ESME_RINVCMDID' });
    peer.destroy();
  });

  test('by the response timer, with an unknown outcome; the late answer is ignored and the window is free again', async () => {
    const { session, peer, clock } = await boundEsme({ bounds: { responseTimeoutMs: 5_000, enquireLinkMs: 0 } });
    const submitted = outcomeOf(session.request('submit_sm', TO));
    const { sequence } = await peer.next('submit_sm');
    await clock.advance(4_999);
    expect(session.windowUsed).toBe(1);
    await clock.advance(1);
    expect(await submitted).toBe('SMPP.RESPONSE_TIMEOUT unknown');
    expect(session.windowUsed).toBe(0);
    peer.send({ command: 'submit_sm_resp', sequence, messageId: 'late' });
    await turns();
    expect(session.counters).toMatchObject({ timeouts: 1, strayResponses: 1 });
    expect(session.state).toBe('bound');
    peer.destroy();
  });

  test('by the loss of the link: unknown when written, never sent when it waited for the window', async () => {
    const { session, peer, closed } = await boundEsme({ bounds: { windowSizeMax: 2 } });
    const outcomes = [1, 2, 3].map(() => outcomeOf(session.request('submit_sm', TO)));
    await peer.next('submit_sm');
    expect([session.windowUsed, session.waiting]).toEqual([2, 1]);
    peer.destroy();
    expect(await Promise.all(outcomes)).toEqual(['SMPP.LINK_LOST unknown', 'SMPP.LINK_LOST unknown', 'SMPP.NOT_BOUND never-sent']);
    expect([session.windowUsed, session.waiting, session.state]).toEqual([0, 0, 'closed']);
    expect(closed).toEqual(['peer-closed']);
  });

  test('as never sent when the socket was not handed its octets', async () => {
    const { session } = await boundEsme();
    const submitted = outcomeOf(session.request('submit_sm', TO));
    session.destroy('socket-failed');
    expect(await submitted).toBe('SMPP.NOT_BOUND never-sent');
  });

  test('as unknown by an answer of status 0 that cannot be read', async () => {
    const { session, peer } = await boundEsme();
    const submitted = outcomeOf(session.request('submit_sm', TO));
    const { sequence } = await peer.next('submit_sm');
    const octets = hex('00000013 80000004 00000000 00000000 616263');
    octets.writeUInt32BE(sequence, 12);
    peer.raw(octets);
    expect(await submitted).toBe('SMPP.BAD_PDU unknown');
    peer.destroy();
  });

  test('as never sent when a field does not fit the wire', async () => {
    const { session, peer } = await boundEsme();
    expect(await outcomeOf(session.request('submit_sm', { destinationAddr: '9'.repeat(21) }))).toBe('SMPP.BAD_PDU never-sent');
    expect(session.windowUsed).toBe(0);
    peer.destroy();
  });

  // The order of answers, timeouts and the end is the peer's; the law is ours.
  test('whatever the peer answers, in whatever order, and whenever it hangs up', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('submit' as const) },
      { weight: 3, arbitrary: fc.nat(20).map((index) => ({ answer: index })) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 4_000 }).map((ms) => ({ wait: ms })) },
    );
    const law = fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), async (steps, windowSizeMax) => {
      const { session, peer, clock } = await boundEsme({ bounds: { windowSizeMax, responseTimeoutMs: 5_000, enquireLinkMs: 0 } });
      const settled: number[] = [];
      let started = 0;
      for (const each of steps) {
        if (each === 'submit') {
          const mine = started++;
          session.request('submit_sm', TO).then(
            () => settled.push(mine),
            () => settled.push(mine),
          );
        } else if ('answer' in each) {
          const submits = peer.got.filter(({ command }) => command === 'submit_sm');
          const chosen = submits[each.answer % Math.max(1, submits.length)];
          if (chosen) peer.send({ command: 'submit_sm_resp', sequence: chosen.sequence, messageId: 'x' });
        } else await clock.advance(each.wait);
        await turns(3);
        expect(session.windowUsed).toBeLessThanOrEqual(windowSizeMax);
        expect(session.windowUsed + session.waiting + settled.length).toBe(started);
      }
      peer.destroy();
      await turns();
      expect([...settled].sort((a, b) => a - b)).toEqual(Array.from({ length: started }, (_, i) => i));
      expect(clock.pending()).toBe(0);
    });
    await fc.assert(law, { numRuns: 60, seed: 7 });
  });
});

describe('window', () => {
  test('holds back what does not fit and sends it in order as answers come', async () => {
    const { session, peer } = await boundEsme({ bounds: { windowSizeMax: 2, waitingMax: 2 } });
    const numbers = ['1', '2', '3', '4'];
    const all = Promise.all(numbers.map((destinationAddr) => session.request('submit_sm', { destinationAddr })));
    await expect(session.request('submit_sm', TO)).rejects.toMatchObject({ code: 'UNAVAILABLE', outcome: 'never-sent' });
    for (const number of numbers) {
      const { sequence, destinationAddr } = await peer.next('submit_sm');
      expect([destinationAddr, session.windowUsed <= 2]).toEqual([number, true]);
      peer.send({ command: 'submit_sm_resp', sequence, messageId: number });
    }
    expect((await all).map(({ messageId }) => messageId)).toEqual(numbers);
    peer.destroy();
  });

  test('after the wrap a sequence number that is still in flight is skipped', () => {
    const noop = () => undefined;
    const inFlight = createInFlight({
      clock: createFakeClock(),
      responseTimeoutMs: 1,
      firstSequence: 0x7fff_ffff,
      onRoom: noop,
      onTimeout: noop,
    });
    for (const sequence of [1, 2]) inFlight.add(sequence, 'submit_sm', true, 0, { resolve: noop, reject: noop });
    expect([inFlight.nextSequence(), inFlight.nextSequence()]).toEqual([0x7fff_ffff, 3]);
  });

  test('sequence numbers wrap from 0x7fffffff to 1', async () => {
    const { session, peer } = await boundEsme({ firstSequence: 0x7fff_fffe, bounds: { windowSizeMax: 5 } });
    void outcomeOf(session.request('submit_sm', TO));
    void outcomeOf(session.request('submit_sm', TO));
    expect([(await peer.next('submit_sm')).sequence, (await peer.next('submit_sm')).sequence]).toEqual([0x7fff_ffff, 1]);
    peer.destroy();
  });

  test('all requests of one turn leave in one write; with a window of 1 a request leaves at once', async () => {
    for (const [windowSizeMax, writes] of [[10, 1], [1, 1]] as const) {
      const [near, far] = createWire();
      const session = openSession({ socket: near, role: 'esme', clock: createFakeClock(), log, bounds: { windowSizeMax } });
      const peer = createPeer(far);
      const bound = session.bind('transceiver', {});
      peer.send({ command: 'bind_transceiver_resp', sequence: (await peer.next('bind_transceiver')).sequence });
      await bound;
      let written = 0;
      const write = near.write.bind(near);
      near.write = ((chunk: Buffer) => {
        written++;
        return write(chunk);
      }) as typeof near.write;
      for (let i = 0; i < windowSizeMax; i++) void outcomeOf(session.request('submit_sm', TO));
      const atOnce = written;
      await turns();
      expect([atOnce, written]).toEqual([windowSizeMax === 1 ? 1 : 0, writes]);
      peer.destroy();
      await turns();
    } // biome-ignore format: a table
  });
});

describe('bind', () => {
  test('a refused bind rejects with its status and closes', async () => {
    const { session, peer, closed } = start('esme');
    const bound = session.bind('transmitter', { systemId: 'causeway', password: 'wrong' });
    const { sequence } = await peer.next('bind_transmitter');
    peer.send({ command: 'bind_transmitter_resp', sequence, commandStatus: STATUS.ESME_RINVPASWD });
    await expect(bound).rejects.toMatchObject({ code: 'SMPP.REFUSED', statusName: 'ESME_RINVPASWD' });
    expect(closed).toEqual(['bind-refused']);
  });

  test('nothing is sent before it, nor in a direction that it does not carry', async () => {
    const unbound = start('esme');
    await expect(unbound.session.request('submit_sm', TO)).rejects.toMatchObject({ code: 'SMPP.NOT_BOUND', outcome: 'never-sent' });
    unbound.peer.destroy();
    const smsc = await boundSmsc({}, 'bind_transmitter');
    await expect(smsc.session.request('deliver_sm', TO)).rejects.toMatchObject({ code: 'SMPP.NOT_BOUND', outcome: 'never-sent' });
    smsc.peer.destroy();
  });

  const submit: OutgoingPdu = { command: 'submit_sm', sequence: 9, ...TO };
  test.each([
    ['submit_sm before bind', undefined, submit, 'submit_sm_resp', STATUS.ESME_RINVBNDSTS],
    ['enquire_link before bind', undefined, { command: 'enquire_link', sequence: 9 }, 'enquire_link_resp', STATUS.ESME_RINVBNDSTS],
    ['unbind before bind', undefined, { command: 'unbind', sequence: 9 }, 'unbind_resp', STATUS.ESME_RINVBNDSTS],
    ['submit_sm on a receiver', 'bind_receiver', submit, 'submit_sm_resp', STATUS.ESME_RINVBNDSTS],
    ['submit_sm on a transmitter', 'bind_transmitter', submit, 'submit_sm_resp', STATUS.ESME_ROK],
    [
      'deliver_sm from an ESME',
      'bind_transceiver',
      { command: 'deliver_sm', sequence: 9, ...TO },
      'deliver_sm_resp',
      STATUS.ESME_RINVBNDSTS,
    ],
    ['a second bind', 'bind_transceiver', { command: 'bind_receiver', sequence: 9 }, 'bind_receiver_resp', STATUS.ESME_RALYBND],
  ] as const)('as SMSC, %s', async (_name, bind, pdu, response, commandStatus) => {
    const handled: number[] = [];
    const handle = async () => {
      handled.push(1);
      return {};
    };
    const handlers: Handlers = { submit_sm: handle, deliver_sm: handle };
    const { peer, session } = bind
      ? await boundSmsc({ handlers }, bind)
      : start('smsc', { onBind: () => ({ commandStatus: 0 }), handlers });
    peer.send(pdu);
    expect(await peer.next(response)).toMatchObject({ sequence: 9, commandStatus });
    expect(handled.length).toBe(commandStatus === 0 ? 1 : 0);
    expect(session.state).toBe(bind ? 'bound' : 'open');
    peer.destroy();
  });

  test('a peer that hangs up while its bind is decided is not bound afterwards', async () => {
    let decide = (): void => undefined;
    const bound: string[] = [];
    const onBind = () =>
      new Promise<{ commandStatus: number }>((resolve) => {
        decide = () => resolve({ commandStatus: 0 });
      });
    const { session, peer, clock } = start('smsc', { onBind, onBound: (type) => bound.push(type) });
    peer.send({ command: 'bind_transceiver', sequence: 1 });
    await turns();
    peer.destroy();
    await turns();
    decide();
    await turns();
    expect([session.state, bound, clock.pending()]).toEqual(['closed', [], 0]);
  });

  test('a peer that does not bind in time is cut off', async () => {
    const { peer, clock, closed } = start('smsc', { bounds: { bindTimeoutMs: 3_000 } });
    peer.send({ command: 'enquire_link', sequence: 1 });
    await clock.advance(2_999);
    expect(closed).toEqual([]);
    await clock.advance(1);
    expect(closed).toEqual(['bind-timeout']);
    await peer.ended;
    expect(clock.pending()).toBe(0);
  });
});

describe('inbound messages', () => {
  test('status 0 is answered only after the handler resolved', async () => {
    let finish = (): void => undefined;
    const { peer } = await boundEsme({ handlers: { deliver_sm: () => new Promise((resolve) => (finish = () => resolve({}))) } });
    peer.send({ command: 'deliver_sm', sequence: 4, ...TO });
    await turns();
    expect(peer.got.some(({ command }) => command === 'deliver_sm_resp')).toBe(false);
    finish();
    expect(await peer.next('deliver_sm_resp')).toMatchObject({ sequence: 4, commandStatus: 0 });
    peer.destroy();
  });

  test.each([
    ['a chosen status', new RefusedWith(STATUS.ESME_RX_P_APPN), STATUS.ESME_RX_P_APPN],
    ['any failure', new Error('disk full'), STATUS.ESME_RX_T_APPN],
    ['a refusal with status 0', new RefusedWith(STATUS.ESME_ROK), STATUS.ESME_RX_T_APPN],
  ])('%s is never an OK', async (_name, failure, commandStatus) => {
    const { peer } = await boundEsme({ handlers: { deliver_sm: () => Promise.reject(failure) } });
    peer.send({ command: 'deliver_sm', sequence: 4, ...TO });
    expect(await peer.next('deliver_sm_resp')).toMatchObject({ sequence: 4, commandStatus });
    peer.destroy();
  });

  test('more than the bound at once are throttled, and later ones are taken again', async () => {
    const finish: (() => void)[] = [];
    const submit_sm = () => new Promise<object>((resolve) => finish.push(() => resolve({ messageId: 'm' })));
    const { peer, session } = await boundSmsc({ handlers: { submit_sm }, bounds: { inboundMax: 2 } });
    peer.send(...[11, 12, 13].map((sequence): OutgoingPdu => ({ command: 'submit_sm', sequence, ...TO })));
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 13, commandStatus: STATUS.ESME_RTHROTTLED });
    for (const each of finish.splice(0)) each();
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 11, commandStatus: 0 });
    peer.send({ command: 'submit_sm', sequence: 14, ...TO });
    await turns();
    for (const each of finish) each();
    await peer.next('submit_sm_resp');
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 14, commandStatus: 0 });
    expect(session.counters.throttled).toBe(1);
    peer.destroy();
  });
});

describe('a peer that goes silent, slow or wrong', () => {
  const quick = { enquireLinkMs: 30_000, responseTimeoutMs: 5_000 };

  test('is asked after silence, and its answer is seen', async () => {
    const { session, peer, clock } = await boundEsme({ bounds: quick });
    await clock.advance(30_000);
    const { sequence } = await peer.next('enquire_link');
    peer.send({ command: 'enquire_link_resp', sequence });
    await turns();
    expect(session.lastEnquireLink).toEqual({ at: clock.now(), roundTripMs: 0 });
    peer.destroy();
  });

  test('is not asked while it talks', async () => {
    const { peer, clock } = await boundEsme({ bounds: quick });
    for (let i = 0; i < 10; i++) {
      await clock.advance(20_000);
      peer.send({ command: 'enquire_link', sequence: i + 1 });
      await turns();
    }
    expect(peer.got.some(({ command }) => command === 'enquire_link')).toBe(false);
    peer.destroy();
  });

  test('is not given up while it talks, though it leaves enquire_link unanswered', async () => {
    const { session, peer, clock, closed } = await boundEsme({ bounds: quick });
    await clock.advance(30_000);
    await peer.next('enquire_link');
    peer.send({ command: 'deliver_sm', sequence: 1, ...TO });
    await clock.advance(1_000);
    peer.send({ command: 'deliver_sm', sequence: 2, ...TO });
    await clock.advance(4_000);
    expect([session.counters.timeouts, closed]).toEqual([1, []]);
    peer.destroy();
  });

  test('is given up when it stays silent, and what is in flight is settled', async () => {
    const { session, peer, clock, closed } = await boundEsme({ bounds: { ...quick, responseTimeoutMs: 40_000 } });
    await clock.advance(20_000);
    const submitted = outcomeOf(session.request('submit_sm', TO));
    await clock.advance(49_999);
    expect(closed).toEqual([]);
    await clock.advance(1);
    expect(closed).toEqual(['no-answer-to-enquire-link']);
    expect(['SMPP.LINK_LOST unknown', 'SMPP.RESPONSE_TIMEOUT unknown']).toContain(await submitted);
    await peer.ended;
    expect(clock.pending()).toBe(0);
  });

  test('is unbound when nothing passes for the time of inactivity', async () => {
    const { peer, clock, closed } = await boundEsme({ bounds: { enquireLinkMs: 0, inactivityMs: 60_000 } });
    await clock.advance(60_000);
    peer.send({ command: 'unbind_resp', sequence: (await peer.next('unbind')).sequence });
    await peer.ended;
    expect(closed).toEqual(['inactive']);
  });

  test('is cut off when a PDU is not whole in time, however slowly it drips', async () => {
    const { peer, clock, closed } = await boundSmsc({ bounds: { pduReadTimeoutMs: 10_000, enquireLinkMs: 0 } });
    peer.raw(hex('00004000 00000004'));
    for (let i = 0; i < 9; i++) {
      await clock.advance(1_000);
      peer.raw(hex('00'));
      await turns();
    }
    expect(closed).toEqual([]);
    await clock.advance(1_000);
    expect(closed).toEqual(['pdu-read-timeout']);
  });

  test('is answered a bad body with its sequence, and the session goes on', async () => {
    const { peer, session } = await boundSmsc();
    peer.raw(hex('00000010 00000004 00000000 0000002a 00000010 00000777 00000000 0000002b 00000010 80000777 00000000 0000002c'));
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 42, commandStatus: STATUS.ESME_RINVCMDLEN });
    expect(await peer.next('generic_nack')).toMatchObject({ sequence: 43, commandStatus: STATUS.ESME_RINVCMDID });
    peer.send({ command: 'submit_sm', sequence: 44, ...TO });
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 44, commandStatus: 0 });
    expect([session.counters.badPdus, peer.got.filter(({ command }) => command === 'generic_nack').length]).toEqual([3, 1]);
    peer.destroy();
  });

  test('is answered a bad length and closed, before the rest of it came', async () => {
    const { peer, closed } = await boundSmsc();
    peer.raw(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    expect(await peer.next('generic_nack')).toMatchObject({ commandStatus: STATUS.ESME_RINVCMDLEN });
    await peer.ended;
    expect(closed).toEqual(['bad-command-length']);
  });

  test('that never reads its answers is read no more, then cut off', async () => {
    const { peer, clock, closed, hold, near } = await boundSmsc({
      bounds: { unsentPauseOctets: 4_096, enquireLinkMs: 0, responseTimeoutMs: 5_000, inboundMax: 10 },
    });
    hold();
    const enquiries = (from: number) =>
      Array.from({ length: 100 }, (_, i): OutgoingPdu => ({ command: 'enquire_link', sequence: from + i }));
    for (let i = 0; i < 30; i++) peer.send(...enquiries(1 + i * 100));
    await turns(100);
    // 3,000 answers would be 48,000 octets; reading stopped soon after 4,096.
    expect(near.isPaused()).toBe(true);
    expect(near.writableLength).toBeLessThan(8_192);
    expect(closed).toEqual([]);
    await clock.advance(5_000);
    expect(closed).toEqual(['peer-not-reading']);
    expect(clock.pending()).toBe(0);
  });

  test('that leaves too much unread is cut off at the hard bound', async () => {
    const { session, closed, hold } = await boundEsme({
      bounds: { windowSizeMax: 1_000, unsentPauseOctets: 4_096, unsentCloseOctets: 16_384 },
    });
    hold();
    const outcomes = Array.from({ length: 400 }, () => outcomeOf(session.request('submit_sm', { ...TO, shortMessage: Buffer.alloc(100) })));
    const settled = await Promise.all(outcomes);
    expect(closed).toEqual(['peer-not-reading']);
    expect(new Set(settled)).toEqual(new Set(['SMPP.NOT_BOUND never-sent']));
  });
});

describe('closing', () => {
  test('waits for what is in flight, unbinds, then closes', async () => {
    const { session, peer, clock, closed } = await boundEsme();
    const submitted = outcomeOf(session.request('submit_sm', TO));
    const { sequence } = await peer.next('submit_sm');
    const done = session.close();
    await expect(session.request('submit_sm', TO)).rejects.toMatchObject({ code: 'SMPP.NOT_BOUND' });
    await turns();
    expect(peer.got.some(({ command }) => command === 'unbind')).toBe(false);
    peer.send({ command: 'submit_sm_resp', sequence, messageId: 'a1' });
    const unbind = await peer.next('unbind');
    expect([await submitted, session.state]).toEqual(['response a1', 'unbinding']);
    peer.send({ command: 'deliver_sm', sequence: 5, ...TO }, { command: 'unbind_resp', sequence: unbind.sequence });
    expect(await peer.next('deliver_sm_resp')).toMatchObject({ commandStatus: STATUS.ESME_RX_T_APPN });
    await done;
    expect(closed).toEqual(['closed-by-us']);
    expect(clock.pending()).toBe(0);
  });

  test('does not wait for ever: not for an answer, nor for unbind_resp', async () => {
    const { session, clock, closed } = await boundEsme({ bounds: { responseTimeoutMs: 5_000, enquireLinkMs: 0 } });
    const submitted = outcomeOf(session.request('submit_sm', TO));
    const done = session.close();
    await clock.advance(5_000);
    expect(await submitted).toBe('SMPP.RESPONSE_TIMEOUT unknown');
    await clock.advance(5_000);
    await clock.advance(1_000);
    await done;
    expect(closed).toEqual(['closed-by-us']);
  });

  test('the peer unbinds: it is answered, and what it has not answered is lost', async () => {
    const { session, peer, closed } = await boundEsme();
    const submitted = outcomeOf(session.request('submit_sm', TO));
    await peer.next('submit_sm');
    peer.send({ command: 'unbind', sequence: 3 });
    expect(await peer.next('unbind_resp')).toMatchObject({ sequence: 3, commandStatus: 0 });
    expect(await submitted).toBe('SMPP.LINK_LOST unknown');
    expect(closed).toEqual(['unbound-by-peer']);
  });
});
