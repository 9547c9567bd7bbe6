import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../src/kernel/log.js';
import { encodePdu } from '../../src/smpp/encoder.js';
import { type Listener, type ListenerOptions, openListener } from '../../src/smpp/listener.js';
import type { ListenerAccount } from '../../src/smpp/listener-account.js';
import type { OutgoingPdu } from '../../src/smpp/pdu.js';
import { STATUS, statusName } from '../../src/smpp/statuses.js';
import { createMutator } from '../../tools/fuzz/mutate.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { CERT, KEY } from './certificate.js';
import { hex } from './pdus.js';
import { connectPeer, createPeer, type Peer, turns } from './peer.js';

const ACCOUNT: ListenerAccount = {
  systemId: 'eplus-app',
  password: 'sandbox',
  bindTypes: ['transceiver', 'transmitter'],
  bindsMax: 2,
  allowedAddresses: ['127.0.0.0/8'],
  handlers: {
    submit_sm: async () => {
      accepted++;
      return { messageId: `m${accepted}` };
    },
  },
};
const TO = { destinationAddr: '999570000001' };
let accepted = 0;
let clock: FakeClock;
const open: Listener[] = [];
const peers: Peer[] = [];

async function listen(account: Partial<ListenerAccount> = {}, options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const mine = { ...ACCOUNT, ...account };
  const findAccount = (systemId: string) => (systemId === mine.systemId ? mine : undefined);
  const listener = await openListener({
    host: '127.0.0.1',
    port: 0,
    systemId: 'causeway',
    findAccount,
    clock,
    log: createLog('silent'),
    ...options,
  });
  open.push(listener);
  return listener;
}
async function dial({ port }: Listener): Promise<Peer> {
  const peer = await connectPeer(port);
  peers.push(peer);
  return peer;
}
async function bind(listener: Listener, fields: Partial<{ systemId: string; password: string }> = {}): Promise<Peer> {
  const peer = await dial(listener);
  peer.send({ command: 'bind_transceiver', sequence: 1, systemId: 'eplus-app', password: 'sandbox', interfaceVersion: 0x34, ...fields });
  return peer;
}
const bindStatus = async (peer: Peer) => statusName((await peer.next('bind_transceiver_resp')).commandStatus);

beforeEach(() => {
  accepted = 0;
  clock = createFakeClock();
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.destroy();
  await turns();
  await drive(Promise.all(open.splice(0).map((listener) => listener.close())));
});

/** Moves the clock until `work` is done. */
async function drive(work: Promise<unknown>): Promise<void> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  while (!isDone) await clock.advance(100);
  await done;
}

describe('who may bind', () => {
  test('an account with its password, in its bind types, up to its limit; a bind that ends frees its place', async () => {
    const listener = await listen();
    const first = await bind(listener);
    expect(await first.next('bind_transceiver_resp')).toMatchObject({
      commandStatus: 0,
      systemId: 'causeway',
      tlvs: [{ tag: 0x0210, value: Buffer.from([0x34]) }],
    });
    expect(await bindStatus(await bind(listener))).toBe('ESME_ROK');
    expect(await bindStatus(await bind(listener))).toBe('ESME_RALYBND');
    expect(listener.binds.map(({ systemId, boundAs, remoteAddress }) => [systemId, boundAs, remoteAddress])).toEqual([
      ['eplus-app', 'transceiver', '127.0.0.1'],
      ['eplus-app', 'transceiver', '127.0.0.1'],
    ]);
    first.send({ command: 'unbind', sequence: 2 });
    await first.next('unbind_resp');
    await first.ended;
    expect(await bindStatus(await bind(listener))).toBe('ESME_ROK');
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
    const listener = await listen({ admit });
    const first = await bind(listener);
    await admitted();
    expect(await bindStatus(first)).toBe('ESME_ROK');
    const second = await bind(listener);
    await admitted();
    expect(await bindStatus(second)).toBe('ESME_RALYBND');
    first.destroy();
    while (released.length < 1) await turns();
    const gone = await bind(listener);
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
    const peer = await bind(await listen(account), fields);
    expect(await bindStatus(peer)).toBe(status);
    await peer.ended;
  });

  test('an account may be allowed by a plain address', async () => {
    expect(await bindStatus(await bind(await listen({ allowedAddresses: ['127.0.0.1'] })))).toBe('ESME_ROK');
  });

  test('a connection that does not bind is cut off in time', async () => {
    const peer = await dial(await listen());
    peer.send({ command: 'enquire_link', sequence: 1 });
    await peer.next('enquire_link_resp');
    await clock.advance(10_000);
    await peer.ended;
  });

  test('connections past the limit are dropped and those before live on', async () => {
    const listener = await listen({}, { connectionsMax: 2 });
    const [first] = [await bind(listener), await bind(listener)];
    await first.next('bind_transceiver_resp');
    const flood = await Promise.all(Array.from({ length: 50 }, () => dial(listener)));
    await Promise.all(flood.map((peer) => peer.ended));
    first.send({ command: 'enquire_link', sequence: 9 });
    expect(await first.next('enquire_link_resp')).toMatchObject({ sequence: 9, commandStatus: 0 });
  });
});

describe('messages', () => {
  test('submit_sm is answered with the id of its handler', async () => {
    const peer = await bind(await listen());
    peer.send({ command: 'submit_sm', sequence: 2, ...TO });
    await peer.next('bind_transceiver_resp');
    // Sent before the bind was answered: it must not have been taken.
    expect(await peer.next('submit_sm_resp')).toMatchObject({ commandStatus: STATUS.ESME_RINVBNDSTS });
    peer.send({ command: 'submit_sm', sequence: 3, ...TO });
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 3, commandStatus: 0, messageId: 'm1' });
  });

  test('deliver_sm goes to a receiving bind and resolves with its answer; without one it is never sent', async () => {
    const listener = await listen();
    await expect(listener.deliver('eplus-app', TO)).rejects.toMatchObject({ code: 'SMPP.NOT_BOUND', outcome: 'never-sent' });
    const peer = await bind(listener);
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
    const listener = await listen();
    const peer = await bind(listener);
    await peer.next('bind_transceiver_resp');
    const closed = listener.close();
    peer.send({ command: 'unbind_resp', sequence: (await peer.next('unbind')).sequence });
    await closed;
    await peer.ended;
  });

  test('over TLS; a plain connection to the same port gets nowhere', async () => {
    const listener = await listen({}, { tls: { cert: CERT, key: KEY } });
    const secure = createPeer(connectTls({ host: '127.0.0.1', port: listener.port, ca: CERT, servername: 'localhost' }));
    peers.push(secure);
    secure.send({ command: 'bind_transceiver', sequence: 1, systemId: 'eplus-app', password: 'sandbox' });
    expect(await bindStatus(secure)).toBe('ESME_ROK');
    const plain = await bind(listener);
    await plain.ended;
    expect(listener.binds.length).toBe(1);
  });
});

const header = (id: string, length = '00000010', sequence = '00000007') => `${length} ${id} 00000000 ${sequence}`;
const submit = (body: string): Buffer => {
  const octets = hex(`${header('00000004')} ${body}`);
  octets.writeUInt32BE(octets.length);
  return octets;
};
const START = '00 0500 4100 0101 ';
const REST = '00 00 00 00 00 01 00 00 00';
const TLS_HELLO = hex('16030100c8010000c40303');

/** The list of inputs that stop or wedge other servers, each sent alone on a bound session. */
const MALFORMED: [name: string, octets: Buffer, expected: keyof typeof STATUS][] = [
  ['command_length 0', hex('00000000'), 'ESME_RINVCMDLEN'],
  ['command_length 1', hex('00000001'), 'ESME_RINVCMDLEN'],
  ['command_length 4', hex('00000004'), 'ESME_RINVCMDLEN'],
  ['command_length 15', hex(header('00000004', '0000000f')), 'ESME_RINVCMDLEN'],
  ['command_length 65,537', hex(header('00000004', '00010001')), 'ESME_RINVCMDLEN'],
  ['command_length 0x7fffffff', hex(header('00000004', '7fffffff')), 'ESME_RINVCMDLEN'],
  ['command_length 0xffffffff', hex(header('00000004', 'ffffffff')), 'ESME_RINVCMDLEN'],
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'ESME_RINVCMDLEN'],
  ['a TLS hello', TLS_HELLO, 'ESME_RINVCMDLEN'],
  ['a submit_sm without a body', submit(''), 'ESME_RINVCMDLEN'],
  ['an unterminated C-string', submit(`${START} ${'39'.repeat(10)}`), 'ESME_RINVDSTADR'],
  ['a destination of 200 digits', submit(`${START} ${'39'.repeat(200)} 00 ${REST} 00`), 'ESME_RINVDSTADR'],
  ['an empty destination', submit(`${START} 00 ${REST} 00`), 'ESME_RINVDSTADR'],
  ['sm_length 200 with 2 octets', submit(`${START} 3900 ${REST} c8 6869`), 'ESME_RINVMSGLEN'],
  ['an integer TLV cut short', submit(`${START} 3900 ${REST} 00 0204 0001 00`), 'ESME_RINVPARLEN'],
  ['a TLV of 0xffff octets past the end', submit(`${START} 3900 ${REST} 00 1400 ffff 00`), 'ESME_RINVOPTPARSTREAM'],
  ['a TLV cut in its header', submit(`${START} 3900 ${REST} 00 1400 00`), 'ESME_RINVOPTPARSTREAM'],
  ['an empty billing TLV', submit(`${START} 3900 ${REST} 00 060b 0000`), 'ESME_RINVPARLEN'],
  ['UDHL 255', submit(`${START} 3900 40 00 00 00 00 01 00 00 00 04 ff000301`), 'ESME_RINVESMCLASS'],
  ['UDHI without a header', submit(`${START} 3900 40 00 00 00 00 01 00 00 00 00`), 'ESME_RINVESMCLASS'],
  ['an unknown command', hex(header('00000777')), 'ESME_RINVCMDID'],
  ['submit_multi with 255 destinations that are not there', hex(`00000019 00000021 00000000 00000007 00 0000 00 ff 01 01 01 39`), 'ESME_RINVDSTADR'],
  ['a second bind', encodePdu({ command: 'bind_transmitter', sequence: 7 }), 'ESME_RALYBND'],
  ['a deliver_sm from an ESME', encodePdu({ command: 'deliver_sm', sequence: 7, ...TO }), 'ESME_RINVBNDSTS'],
]; // biome-ignore format: a table

describe('malformed input is answered an error or cut off, never accepted, and nobody else notices', () => {
  test.each(MALFORMED)('%s', async (_name, octets, expected) => {
    const listener = await listen();
    const [bad, good] = [await bind(listener), await bind(listener)];
    await Promise.all([bad.next('bind_transceiver_resp'), good.next('bind_transceiver_resp')]);
    const before = bad.got.length;
    bad.raw(octets);
    // The bad PDU of a session that lives on is followed by a good one, whose answer shows that nothing is stuck.
    const isClosed = octets.readUInt32BE(0) < 16 || octets.readUInt32BE(0) > 65_536;
    if (!isClosed) bad.send({ command: 'enquire_link', sequence: 99 });
    if (isClosed) await bad.ended;
    else expect(await bad.next('enquire_link_resp')).toMatchObject({ sequence: 99, commandStatus: 0 });
    const answers = bad.got.slice(before).filter(({ command }) => command !== 'enquire_link_resp');
    expect(answers.map(({ commandStatus }) => statusName(commandStatus))).toEqual([expected]);
    if (!isClosed) expect(answers[0]?.sequence).toBe(7);
    good.send({ command: 'submit_sm', sequence: 5, ...TO });
    expect(await good.next('submit_sm_resp')).toMatchObject({ commandStatus: 0, messageId: 'm1' });
  });

  test.each([
    ['half a PDU, then silence', hex('00004000 00000004')],
    ['three octets, then silence', hex('000000')],
  ])('%s: cut off in time', async (_name, octets) => {
    const peer = await bind(await listen({}, { bounds: { enquireLinkMs: 0 } }));
    await peer.next('bind_transceiver_resp');
    // The answer to what came whole shows that the rest of the write is in.
    peer.raw(Buffer.concat([encodePdu({ command: 'enquire_link', sequence: 2 }), octets]));
    await peer.next('enquire_link_resp');
    await turns();
    await clock.advance(10_000);
    await peer.ended;
  });

  test('responses that nobody asked for are ignored', async () => {
    const peer = await bind(await listen());
    await peer.next('bind_transceiver_resp');
    const stray: OutgoingPdu[] = [
      { command: 'submit_sm_resp', sequence: 5, messageId: 'x' },
      { command: 'deliver_sm_resp', sequence: 5 },
      { command: 'generic_nack', sequence: 5, commandStatus: 3 },
      { command: 'unbind_resp', sequence: 5 },
    ];
    peer.send(...stray, { command: 'enquire_link', sequence: 6 });
    expect(await peer.next('enquire_link_resp')).toMatchObject({ sequence: 6, commandStatus: 0 });
    expect(peer.got.length).toBe(2);
  });

  test('300 connections of mutated submits: each is answered or cut off, no message is taken twice, and a good peer is served after', async () => {
    const listener = await listen({ bindsMax: 400 }, { bounds: { pduReadTimeoutMs: 1_000, enquireLinkMs: 0 } });
    const mutate = createMutator(0x5eed);
    const valid = encodePdu({
      command: 'submit_sm',
      sequence: 7,
      ...TO,
      esmClass: 0x40,
      shortMessage: Buffer.from([5, 0, 3, 7, 2, 1, 104]),
    });
    for (let batch = 0; batch < 10; batch++) {
      const batchPeers = await Promise.all(Array.from({ length: 30 }, () => bind(listener)));
      await Promise.all(batchPeers.map((peer) => peer.next('bind_transceiver_resp')));
      const ends = batchPeers.map((peer) => {
        peer.raw(Buffer.concat([mutate(valid, true), mutate(valid, true), encodePdu({ command: 'enquire_link', sequence: 99 })]));
        return Promise.race([peer.next('enquire_link_resp').catch(() => undefined), peer.ended]);
      });
      await drive(Promise.all(ends));
      for (const peer of batchPeers) peer.destroy();
    }
    const peer = await bind(listener);
    expect(await bindStatus(peer)).toBe('ESME_ROK');
    peer.send({ command: 'submit_sm', sequence: 5, ...TO });
    expect(await peer.next('submit_sm_resp')).toMatchObject({ commandStatus: 0 });
    expect(accepted).toBeLessThanOrEqual(601);
  });
});
