import { describe, expect, test } from 'vitest';
import { STATUS } from '../../src/smpp/statuses.js';
import { turns } from './peer.js';
import { boundEsme, outcomeOf, TO } from './session-bench.js';

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
    peer.send(
      { command: 'deliver_sm', sequence: 5, ...TO },
      { command: 'alert_notification', sequence: 6 },
      { command: 'unbind_resp', sequence: unbind.sequence },
    );
    expect(await peer.next('deliver_sm_resp')).toMatchObject({ commandStatus: STATUS.ESME_RX_T_APPN });
    await done;
    expect(peer.got.at(-1)).toMatchObject({ command: 'deliver_sm_resp' });
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
