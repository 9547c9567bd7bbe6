import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLog } from '../../src/kernel/log.js';
import { createInFlight } from '../../src/smpp/in-flight.js';
import { openSession } from '../../src/smpp/session.js';
import { STATUS } from '../../src/smpp/statuses.js';
import { createFakeClock } from '../fakes/clock.js';
import { hex } from './pdus.js';
import { createPeer, createWire, turns } from './peer.js';
import { boundEsme, outcomeOf, TO } from './session-bench.js';

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
      const session = openSession({ socket: near, role: 'esme', clock: createFakeClock(), log: createLog('silent'), bounds: { windowSizeMax } });
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
