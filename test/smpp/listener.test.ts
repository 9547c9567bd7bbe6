import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { ListenerAccount } from '../../src/smpp/listener-account.js';
import { RefusedWith } from '../../src/smpp/smpp-error.js';
import { STATUS, statusName } from '../../src/smpp/statuses.js';
import { readTlv, tlv } from '../../src/smpp/tlvs.js';
import { CERT, KEY } from './certificate.js';
import { bindStatus, TO, useListeners } from './listener-bench.js';
import { createPeer, turns } from './peer.js';

const bench = useListeners();

describe('who may bind', () => {
  test('an account with its password, in its bind types, up to its limit; a bind that ends frees its place', async () => {
    const listener = await bench.listen();
    const first = await bench.bind(listener);
    expect(await first.next('bind_transceiver_resp')).toMatchObject({
      commandStatus: 0,
      systemId: 'causeway',
      tlvs: [{ tag: 0x0210, value: Buffer.from([0x34]) }],
    });
    expect(await bindStatus(await bench.bind(listener))).toBe('ESME_ROK');
    expect(await bindStatus(await bench.bind(listener))).toBe('ESME_RALYBND');
    expect(listener.binds.map(({ systemId, boundAs, remoteAddress }) => [systemId, boundAs, remoteAddress])).toEqual([
      ['eplus-app', 'transceiver', '127.0.0.1'],
      ['eplus-app', 'transceiver', '127.0.0.1'],
    ]);
    first.send({ command: 'unbind', sequence: 2 });
    await first.next('unbind_resp');
    await first.ended;
    expect(await bindStatus(await bench.bind(listener))).toBe('ESME_ROK');
  });

  // Binds at other nodes count, too: whoever knows of them decides, and is told of each end, also of one that came first.
  test('who admits binds turns one away with ESME_RALYBND, and hears once of the end of each that it admitted', async () => {
    let free = 1;
    let admitting: (() => void) | undefined;
    const released: string[] = [];
    const admit: ListenerAccount['admit'] = async ({ boundAs }) => {
      await new Promise<void>((resolve) => (admitting = resolve));
      if (free === 0) return undefined;
      free--;
      return () => {
        free++;
        released.push(boundAs);
      };
    };
    const admitted = async () => {
      while (!admitting) await turns();
      admitting();
      admitting = undefined;
    };
    const listener = await bench.listen({ admit });
    const first = await bench.bind(listener);
    await admitted();
    expect(await bindStatus(first)).toBe('ESME_ROK');
    const second = await bench.bind(listener);
    await admitted();
    expect(await bindStatus(second)).toBe('ESME_RALYBND');
    first.destroy();
    while (released.length < 1) await turns();
    const gone = await bench.bind(listener);
    while (!admitting) await turns();
    gone.destroy();
    await gone.ended;
    await turns();
    await admitted();
    while (released.length < 2) await turns();
    expect(released).toEqual(['transceiver', 'transceiver']);
    expect([free, listener.binds]).toEqual([1, []]);
  });

  test.each([
    ['a wrong password', {}, { password: 'sandbos' }, 'ESME_RINVPASWD'],
    ['no password', {}, { password: '' }, 'ESME_RINVPASWD'],
    ['an unknown system_id, which looks the same', {}, { systemId: 'nobody' }, 'ESME_RINVPASWD'],
    ['an account without a password', { password: '' }, { password: '' }, 'ESME_RINVPASWD'],
    ['a foreign address, which looks the same', { allowedAddresses: ['192.0.2.0/24', '2001:db8::/32'] }, {}, 'ESME_RINVPASWD'],
    ['no address allowed', { allowedAddresses: [] }, {}, 'ESME_RINVPASWD'],
    ['a bind type of another kind', { bindTypes: ['receiver'] as const }, {}, 'ESME_RBINDFAIL'],
  ])('not %s; the connection is closed', async (_name, account, fields, status) => {
    const peer = await bench.bind(await bench.listen(account), fields);
    expect(await bindStatus(peer)).toBe(status);
    await peer.ended;
  });

  test('an account may be allowed by a plain address', async () => {
    expect(await bindStatus(await bench.bind(await bench.listen({ allowedAddresses: ['127.0.0.1'] })))).toBe('ESME_ROK');
  });

  test('a connection that does not bind is cut off in time', async () => {
    const peer = await bench.dial(await bench.listen());
    peer.send({ command: 'enquire_link', sequence: 1 });
    await peer.next('enquire_link_resp');
    await bench.clock.advance(10_000);
    await peer.ended;
  });

  test('connections past the limit are dropped and those before live on', async () => {
    const listener = await bench.listen({}, { connectionsMax: 2 });
    const [first] = [await bench.bind(listener), await bench.bind(listener)];
    await first.next('bind_transceiver_resp');
    const flood = await Promise.all(Array.from({ length: 50 }, () => bench.dial(listener)));
    await Promise.all(flood.map((peer) => peer.ended));
    first.send({ command: 'enquire_link', sequence: 9 });
    expect(await first.next('enquire_link_resp')).toMatchObject({ sequence: 9, commandStatus: 0 });
  });

  test('over TLS with client certificates only who has one of ours', async () => {
    const listener = await bench.listen({}, { tls: { cert: CERT, key: KEY, ca: CERT, requestCert: true } });
    const dialTls = (certificate: { cert: string; key: string } | undefined) => {
      const peer = createPeer(connectTls({ host: '127.0.0.1', port: listener.port, ca: CERT, servername: 'localhost', ...certificate }));
      peer.send({ command: 'bind_transceiver', sequence: 1, systemId: 'eplus-app', password: 'sandbox' });
      return peer;
    };
    const known = dialTls({ cert: CERT, key: KEY });
    expect(await bindStatus(known)).toBe('ESME_ROK');
    const stranger = dialTls(undefined);
    await stranger.ended;
    expect(stranger.got).toEqual([]);
    expect(listener.binds.length).toBe(1);
    known.destroy();
  });

  test('a listener that closes does not wait for a handshake that never comes', async () => {
    const listener = await bench.listen({}, { tls: { cert: CERT, key: KEY, handshakeTimeout: 3_600_000 } });
    const silent = await bench.dial(listener);
    await turns();
    await listener.close();
    await silent.ended;
  });
});

describe('messages', () => {
  test('submit_sm is answered with the id of its handler', async () => {
    const peer = await bench.bind(await bench.listen());
    peer.send({ command: 'submit_sm', sequence: 2, ...TO });
    await peer.next('bind_transceiver_resp');
    // Sent before the bind was answered: it must not have been taken.
    expect(await peer.next('submit_sm_resp')).toMatchObject({ commandStatus: STATUS.ESME_RINVBNDSTS });
    peer.send({ command: 'submit_sm', sequence: 3, ...TO });
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 3, commandStatus: 0, messageId: 'm1' });
  });

  test('deliver_sm goes to a receiving bind and resolves with its answer; without one it is never sent', async () => {
    const listener = await bench.listen();
    await expect(listener.deliver('eplus-app', TO)).rejects.toMatchObject({ code: 'SMPP.NOT_BOUND', outcome: 'never-sent' });
    const peer = await bench.bind(listener);
    await peer.next('bind_transceiver_resp');
    const delivered = listener.deliver('eplus-app', TO);
    const { sequence } = await peer.next('deliver_sm');
    peer.send({ command: 'deliver_sm_resp', sequence });
    await delivered;
    const refused = listener.deliver('eplus-app', ({ boundAs }) => ({ ...TO, sourceAddr: boundAs }));
    const asked = await peer.next('deliver_sm');
    expect(asked.sourceAddr).toBe('transceiver');
    peer.send({ command: 'deliver_sm_resp', sequence: asked.sequence, commandStatus: STATUS.ESME_RX_T_APPN });
    await expect(refused).rejects.toMatchObject({ statusName: 'ESME_RX_T_APPN' });
  });

  test('close unbinds every session first', async () => {
    const listener = await bench.listen();
    const peer = await bench.bind(listener);
    await peer.next('bind_transceiver_resp');
    const closed = listener.close();
    peer.send({ command: 'unbind_resp', sequence: (await peer.next('unbind')).sequence });
    await closed;
    await peer.ended;
  });

  test('over TLS; a plain connection to the same port gets nowhere', async () => {
    const listener = await bench.listen({}, { tls: { cert: CERT, key: KEY } });
    const secure = createPeer(connectTls({ host: '127.0.0.1', port: listener.port, ca: CERT, servername: 'localhost' }));
    secure.send({ command: 'bind_transceiver', sequence: 1, systemId: 'eplus-app', password: 'sandbox' });
    expect(await bindStatus(secure)).toBe('ESME_ROK');
    const plain = await bench.bind(listener);
    await plain.ended;
    expect(listener.binds.length).toBe(1);
  });

  test('each request reaches the handler of its command, and what it resolves with is the answer', async () => {
    const seen: string[] = [];
    const listener = await bench.listen({
      handlers: {
        submit_multi: async ({ command, destinations }, { systemId, boundAs }) => {
          seen.push(`${command} ${destinations.length} from ${systemId} as ${boundAs}`);
          return {
            messageId: 'm9',
            unsuccessSmes: [{ destAddrTon: 1, destAddrNpi: 1, destinationAddr: '1', errorStatusCode: STATUS.ESME_RINVDSTADR }],
          };
        },
        data_sm: async ({ tlvs }) => ({ messageId: String(readTlv(tlvs, 'message_payload')) }),
        query_sm: async ({ messageId }) => ({ messageId, messageState: 2, finalDate: '261122100000000+' }),
        cancel_sm: async ({ messageId }) => {
          if (messageId !== 'm9') throw new RefusedWith(STATUS.ESME_RCANCELFAIL);
          return {};
        },
      },
    });
    const peer = await bench.bound(listener);
    peer.send(
      {
        command: 'submit_multi',
        sequence: 2,
        destinations: [{ destAddrTon: 1, destAddrNpi: 1, destinationAddr: '1' }, { dlName: 'staff' }],
      },
      { command: 'data_sm', sequence: 3, ...TO, tlvs: [tlv('message_payload', Buffer.from('data'))] },
      { command: 'query_sm', sequence: 4, messageId: 'm9' },
      { command: 'cancel_sm', sequence: 5, messageId: 'm9' },
      { command: 'cancel_sm', sequence: 6, messageId: 'm8' },
      { command: 'replace_sm', sequence: 7, messageId: 'm9', shortMessage: Buffer.from('new') },
    );
    expect(await peer.next('submit_multi_resp')).toMatchObject({
      commandStatus: 0,
      messageId: 'm9',
      unsuccessSmes: [{ destinationAddr: '1', errorStatusCode: 0x0b }],
    });
    expect(seen).toEqual(['submit_multi 2 from eplus-app as transceiver']);
    expect(await peer.next('data_sm_resp')).toMatchObject({ commandStatus: 0, messageId: 'data' });
    expect(await peer.next('query_sm_resp')).toMatchObject({
      commandStatus: 0,
      messageId: 'm9',
      messageState: 2,
      finalDate: '261122100000000+',
    });
    expect(await peer.next('cancel_sm_resp')).toMatchObject({ sequence: 5, commandStatus: 0 });
    expect(await peer.next('cancel_sm_resp')).toMatchObject({ sequence: 6, commandStatus: STATUS.ESME_RCANCELFAIL });
    expect(await peer.next('replace_sm_resp')).toMatchObject({ sequence: 7, commandStatus: STATUS.ESME_RINVCMDID });
  });

  test('what the account may not submit now is throttled, counted in SMS and for each destination', async () => {
    const asked: number[] = [];
    let left = 4;
    const take = (segments: number) => {
      asked.push(segments);
      if (segments > left) return false;
      left -= segments;
      return true;
    };
    const handle = async () => ({ messageId: 'm' });
    const peer = await bench.bound(
      await bench.listen({ take, handlers: { submit_sm: handle, submit_multi: handle, data_sm: handle, query_sm: handle } }),
    );
    const payload = (octets: number) => [tlv('message_payload', Buffer.alloc(octets, 0x41))];
    peer.send(
      { command: 'submit_sm', sequence: 2, ...TO, shortMessage: Buffer.alloc(160, 0x41) },
      { command: 'submit_sm', sequence: 3, ...TO, dataCoding: 8, tlvs: payload(141) },
      { command: 'submit_multi', sequence: 4, destinations: [{ dlName: 'staff' }, { dlName: 'guests' }], shortMessage: Buffer.from('x') },
      { command: 'data_sm', sequence: 5, ...TO, tlvs: payload(1) },
      { command: 'submit_sm', sequence: 6, ...TO, shortMessage: Buffer.from('x') },
      { command: 'query_sm', sequence: 7, messageId: 'm' },
    );
    await peer.next('query_sm_resp');
    const answers = peer.got.slice(1).map(({ sequence, commandStatus }) => [sequence, statusName(commandStatus)]);
    expect(answers.sort()).toEqual([
      [2, 'ESME_ROK'], [3, 'ESME_ROK'], [4, 'ESME_RTHROTTLED'], [5, 'ESME_ROK'], [6, 'ESME_RTHROTTLED'], [7, 'ESME_ROK'],
    ]); // biome-ignore format: one list
    expect(asked).toEqual([1, 2, 2, 1, 1]);
  });

  test('data_sm goes to a receiving bind and resolves with its answer, alert_notification to each', async () => {
    const listener = await bench.listen({ bindTypes: ['receiver', 'transmitter'], bindsMax: 3 });
    const receivers = [await bench.dial(listener), await bench.dial(listener)];
    for (const peer of receivers) {
      peer.send({ command: 'bind_receiver', sequence: 1, systemId: 'eplus-app', password: 'sandbox', interfaceVersion: 0x34 });
      await peer.next('bind_receiver_resp');
    }
    const transmitter = await bench.dial(listener);
    transmitter.send({ command: 'bind_transmitter', sequence: 1, systemId: 'eplus-app', password: 'sandbox' });
    await transmitter.next('bind_transmitter_resp');
    const delivered = listener.deliverData('eplus-app', { ...TO, tlvs: [tlv('message_payload', Buffer.from('hi'))] });
    const [first] = receivers;
    const { sequence } = (await first?.next('data_sm')) ?? { sequence: 0 };
    first?.send({ command: 'data_sm_resp', sequence, messageId: 'theirs' });
    expect(await delivered).toMatchObject({ messageId: 'theirs' });
    listener.alert('eplus-app', { sourceAddr: '999570000001', tlvs: [tlv('ms_availability_status', 0)] });
    for (const peer of receivers) expect(await peer.next('alert_notification')).toMatchObject({ sourceAddr: '999570000001' });
    transmitter.send({ command: 'enquire_link', sequence: 9 });
    await transmitter.next('enquire_link_resp');
    expect(transmitter.got.map(({ command }) => command)).toEqual(['bind_transmitter_resp', 'enquire_link_resp']);
    await expect(listener.deliverData('nobody', TO)).rejects.toMatchObject({ code: 'SMPP.NOT_BOUND' });
  });

  test('its account is told when a bind is up, and can use it at once', async () => {
    const told: string[] = [];
    const listener = await bench.listen({
      onBound: ({ systemId, boundAs, interfaceVersion }) => {
        told.push(`${systemId} ${boundAs} ${interfaceVersion}`);
        void listener.deliver(systemId, TO).catch(() => undefined);
      },
    });
    const peer = await bench.bound(listener);
    await peer.next('deliver_sm');
    expect(told).toEqual(['eplus-app transceiver 52']);
  });
});
