import { describe, expect, test } from 'vitest';
import type { RequestName } from '../../src/smpp/pdu.js';
import type { BindType, Handlers, Role } from '../../src/smpp/session-options.js';
import { STATUS, statusName } from '../../src/smpp/statuses.js';
import { tlv } from '../../src/smpp/tlvs.js';
import { createPduMaker } from '../../tools/fuzz/random-pdu.js';
import { turns } from './peer.js';
import { type Bench, boundEsme, boundSmsc, start, TO } from './session-bench.js';

const handle = async () => ({});
const HANDLERS: Handlers = {
  submit_sm: handle, submit_multi: handle, data_sm: handle, deliver_sm: handle, query_sm: handle, cancel_sm: handle, replace_sm: handle,
}; // biome-ignore format: one list

const STATES = ['open', 'transmitter', 'receiver', 'transceiver'] as const;

function inState(role: Role, state: 'open' | BindType): Promise<Bench> {
  const given = { handlers: HANDLERS, onBind: () => ({ commandStatus: 0 }) };
  if (state === 'open') return Promise.resolve(start(role, given));
  return role === 'smsc' ? boundSmsc(given, state) : boundEsme(given, state);
}

const OK = 'ESME_ROK';
const NO = 'ESME_RINVBNDSTS';
const AGAIN = 'ESME_RALYBND';

/** Table 2-1 of SMPP 3.4 (§2.3): what we answer the peer in each state, and the transceiver's column for those that it forgets. */
const TABLE: [role: Role, command: RequestName, open: string, transmitter: string, receiver: string, transceiver: string][] = [
  ['smsc', 'bind_transmitter', OK, AGAIN, AGAIN, AGAIN],
  ['smsc', 'bind_receiver', OK, AGAIN, AGAIN, AGAIN],
  ['smsc', 'bind_transceiver', OK, AGAIN, AGAIN, AGAIN],
  ['smsc', 'unbind', NO, OK, OK, OK],
  ['smsc', 'enquire_link', NO, OK, OK, OK],
  ['smsc', 'submit_sm', NO, OK, NO, OK],
  ['smsc', 'submit_multi', NO, OK, NO, OK],
  ['smsc', 'data_sm', NO, OK, NO, OK],
  ['smsc', 'query_sm', NO, OK, NO, OK],
  ['smsc', 'cancel_sm', NO, OK, NO, OK],
  ['smsc', 'replace_sm', NO, OK, NO, OK],
  ['smsc', 'deliver_sm', NO, NO, NO, NO],
  ['esme', 'bind_transmitter', NO, NO, NO, NO],
  ['esme', 'bind_receiver', NO, NO, NO, NO],
  ['esme', 'bind_transceiver', NO, NO, NO, NO],
  ['esme', 'unbind', NO, OK, OK, OK],
  ['esme', 'enquire_link', NO, OK, OK, OK],
  ['esme', 'submit_sm', NO, NO, NO, NO],
  ['esme', 'submit_multi', NO, NO, NO, NO],
  ['esme', 'data_sm', NO, NO, OK, OK],
  ['esme', 'query_sm', NO, NO, NO, NO],
  ['esme', 'cancel_sm', NO, NO, NO, NO],
  ['esme', 'replace_sm', NO, NO, NO, NO],
  ['esme', 'deliver_sm', NO, NO, OK, OK],
];

describe('who may send what, and when', () => {
  test.each(TABLE)('to our %s side: %s', async (role, command, ...expected) => {
    const pdu = { ...createPduMaker(7)(command), sequence: 9 };
    const answers: string[] = [];
    for (const state of STATES) {
      const { peer } = await inState(role, state);
      peer.send(pdu);
      const { sequence, commandStatus } = await peer.next(`${command}_resp`);
      expect(sequence).toBe(9);
      answers.push(statusName(commandStatus));
      peer.destroy();
    }
    expect(answers).toEqual(expected);
  });

  test('what nothing answers is nacked where it may not come, and taken where it may', async () => {
    const alerted: string[] = [];
    const given = { onAlert: ({ sourceAddr }: { sourceAddr: string }) => void alerted.push(sourceAddr) };
    const nacks: unknown[] = [];
    for (const [role, state] of [['smsc', 'transceiver'], ['esme', 'transmitter'], ['esme', 'receiver'], ['esme', 'transceiver']] as const) {
      const { peer } = role === 'smsc' ? await boundSmsc(given, state) : await boundEsme(given, state);
      peer.send({ command: 'alert_notification', sequence: 9, sourceAddr: state }, { command: 'enquire_link', sequence: 10 });
      await peer.next('enquire_link_resp');
      nacks.push(peer.got.flatMap((pdu) => (pdu.command === 'generic_nack' ? [pdu.sequence, statusName(pdu.commandStatus)] : [])));
      peer.destroy();
    } // biome-ignore format: one list of situations
    expect(nacks).toEqual([[9, NO], [9, NO], [], []]);
    expect(alerted).toEqual(['receiver', 'transceiver']);
  });

  test('outbind asks for the bind that is under way: it changes nothing, and after the bind it is nacked', async () => {
    const { peer, session } = await boundEsme();
    peer.send({ command: 'outbind', sequence: 9, systemId: 'SMSC' });
    expect(await peer.next('generic_nack')).toMatchObject({ sequence: 9, commandStatus: STATUS.ESME_RALYBND });
    expect(session.state).toBe('bound');
    peer.destroy();
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
    const smsc = await boundSmsc({}, 'transmitter');
    await expect(smsc.session.request('deliver_sm', TO)).rejects.toMatchObject({ code: 'SMPP.NOT_BOUND', outcome: 'never-sent' });
    smsc.peer.destroy();
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

  // SMPP 3.4 §5.2.4: an older ESME must not be sent TLVs.
  test('an ESME of SMPP 3.3 gets no TLVs, and no message that is nothing without one', async () => {
    const handlers: Handlers = { submit_sm: async () => ({ messageId: 'm1', tlvs: [tlv('congestion_state', 5)] }) };
    const old = await boundSmsc({ handlers }, 'transceiver', 0x33);
    expect(old.peer.got).toMatchObject([{ command: 'bind_transceiver_resp', tlvs: [] }]);
    old.peer.send({ command: 'submit_sm', sequence: 9, ...TO });
    expect(await old.peer.next('submit_sm_resp')).toMatchObject({ messageId: 'm1', tlvs: [] });
    void old.session.request('deliver_sm', { ...TO, tlvs: [tlv('message_state', 2)] }).catch(() => undefined);
    expect(await old.peer.next('deliver_sm')).toMatchObject({ tlvs: [] });
    const payload = [tlv('message_payload', Buffer.from('long'))];
    await expect(old.session.request('deliver_sm', { ...TO, tlvs: payload })).rejects.toMatchObject({
      code: 'SMPP.BAD_PDU',
      outcome: 'never-sent',
    });
    old.peer.destroy();
    const present = await boundSmsc({ handlers });
    present.peer.send({ command: 'submit_sm', sequence: 9, ...TO });
    expect((await present.peer.next('submit_sm_resp')).tlvs).toEqual([tlv('congestion_state', 5)]);
    present.peer.destroy();
  });
});
