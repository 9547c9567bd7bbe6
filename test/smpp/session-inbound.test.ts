import { describe, expect, test } from 'vitest';
import type { OutgoingPdu } from '../../src/smpp/pdu.js';
import { RefusedWith } from '../../src/smpp/smpp-error.js';
import { STATUS } from '../../src/smpp/statuses.js';
import { turns } from './peer.js';
import { boundEsme, boundSmsc, TO } from './session-bench.js';

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
