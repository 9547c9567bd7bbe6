import { describe, expect, test } from 'vitest';
import type { OutgoingPdu } from '../../src/smpp/pdu.js';
import { STATUS } from '../../src/smpp/statuses.js';
import { hex } from './pdus.js';
import { turns } from './peer.js';
import { boundEsme, boundSmsc, outcomeOf, TO } from './session-bench.js';

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
