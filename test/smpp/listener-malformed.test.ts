import { describe, expect, test } from 'vitest';
import { encodePdu } from '../../src/smpp/encoder.js';
import type { Listener } from '../../src/smpp/listener.js';
import type { OutgoingPdu } from '../../src/smpp/pdu.js';
import { STATUS, statusName } from '../../src/smpp/statuses.js';
import { bindStatus, TO, useListeners } from './listener-bench.js';
import { hex } from './pdus.js';
import { turns } from './peer.js';

const bench = useListeners();

const header = (id: string, length = '00000010', sequence = '00000007') => `${length} ${id} 00000000 ${sequence}`;
/** A request with a body written by hand; sequence 7. */
const request = (id: string, body: string): Buffer => {
  const octets = hex(`${header(id)} ${body}`);
  octets.writeUInt32BE(octets.length);
  return octets;
};
const submit = (body: string): Buffer => request('00000004', body);
const submitMulti = (destinations: string): Buffer => request('00000021', `00 0000 00 ${destinations}`);
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
  ['UDHI with a header that its message is too short for', submit(`${START} 3900 40 00 00 00 00 01 00 00 00 05 0500030702`), 'ESME_RINVESMCLASS'],
  ['UDHI without a header', submit(`${START} 3900 40 00 00 00 00 01 00 00 00 00`), 'ESME_RINVESMCLASS'],
  ['a data_sm without a destination', encodePdu({ command: 'data_sm', sequence: 7 }), 'ESME_RINVDSTADR'],
  ['a query_sm of nothing', encodePdu({ command: 'query_sm', sequence: 7 }), 'ESME_RINVMSGID'],
  ['a replace_sm with a time that is none', encodePdu({ command: 'replace_sm', sequence: 7, messageId: 'm1', validityPeriod: 'tomorrow' }), 'ESME_RINVEXPIRY'],
  ['an unknown command', hex(header('00000777')), 'ESME_RINVCMDID'],
  ['a broadcast_sm of SMPP 5.0', hex(header('00000111')), 'ESME_RINVCMDID'],
  ['submit_multi with 255 destinations that are not there', submitMulti('ff 01 01 01 39'), 'ESME_RINVDSTADR'],
  ['submit_multi without a destination', submitMulti(`00 ${REST} 00`), 'ESME_RINVNUMDESTS'],
  ['submit_multi with a dest_flag that is none', submitMulti('01 07 01 01 39'), 'ESME_RINVDESTFLAG'],
  ['an outbind from an ESME', encodePdu({ command: 'outbind', sequence: 7 }), 'ESME_RINVBNDSTS'],
  ['a second bind', encodePdu({ command: 'bind_transmitter', sequence: 7 }), 'ESME_RALYBND'],
  ['a deliver_sm from an ESME', encodePdu({ command: 'deliver_sm', sequence: 7, ...TO }), 'ESME_RINVBNDSTS'],
]; // biome-ignore format: a table

/** An ESME that submits one message after the other until it is told to stop. */
async function startGood(listener: Listener): Promise<{ stop(): Promise<number> }> {
  const peer = await bench.bound(listener);
  let isRunning = true;
  let taken = 0;
  const run = (async () => {
    while (isRunning || taken < 3) {
      peer.send({ command: 'submit_sm', sequence: 10 + taken, ...TO });
      expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 10 + taken, commandStatus: 0 });
      taken++;
    }
    return taken;
  })();
  return {
    stop() {
      isRunning = false;
      return run;
    },
  };
}

/** The session of `bad` is over, and somebody else has been served all the time and can bind anew. */
async function expectOthersServed(listener: Listener, good: { stop(): Promise<number> }): Promise<void> {
  expect(await good.stop()).toBeGreaterThanOrEqual(3);
  const fresh = await bench.bind(listener);
  expect(await bindStatus(fresh)).toBe('ESME_ROK');
}

describe('malformed input is answered an error or cut off, never accepted, and nobody else notices', () => {
  test.each(MALFORMED)('%s', async (_name, octets, expected) => {
    const listener = await bench.listen({ bindsMax: 3 });
    const good = await startGood(listener);
    const bad = await bench.bound(listener);
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
    await expectOthersServed(listener, good);
  });

  test.each([
    ['half a PDU, then silence', hex('00004000 00000004')],
    ['three octets, then silence', hex('000000')],
  ])('%s: cut off in time', async (_name, octets) => {
    const peer = await bench.bound(await bench.listen({}, { bounds: { enquireLinkMs: 0 } }));
    // The answer to what came whole shows that the rest of the write is in.
    peer.raw(Buffer.concat([encodePdu({ command: 'enquire_link', sequence: 2 }), octets]));
    await peer.next('enquire_link_resp');
    await turns();
    await bench.clock.advance(10_000);
    await peer.ended;
  });

  test('responses that nobody asked for are ignored', async () => {
    const peer = await bench.bound(await bench.listen());
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

  test('a submit_sm before the bind, a wrong one too', async () => {
    const listener = await bench.listen();
    const peer = await bench.dial(listener);
    peer.send({ command: 'submit_sm', sequence: 2, ...TO });
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 2, commandStatus: STATUS.ESME_RINVBNDSTS });
    peer.raw(submit(''));
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 7, commandStatus: STATUS.ESME_RINVCMDLEN });
    expect(bench.accepted).toBe(0);
    peer.send({ command: 'bind_transceiver', sequence: 3, systemId: 'eplus-app', password: 'sandbox' });
    expect(await bindStatus(peer)).toBe('ESME_ROK');
  });

  test('one octet at a time: what is sound is taken, what is broken is refused', async () => {
    const listener = await bench.listen();
    const peer = await bench.bound(listener);
    const octets = Buffer.concat([encodePdu({ command: 'submit_sm', sequence: 3, ...TO }), submit(`${START} 00 ${REST} 00`)]);
    for (let at = 0; at < octets.length; at++) {
      peer.raw(octets.subarray(at, at + 1));
      await turns(1);
    }
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 3, commandStatus: 0 });
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 7, commandStatus: STATUS.ESME_RINVDSTADR });
  });
});

describe('a peer that means harm, or is gone, is cut off at a bound, and nobody else notices', () => {
  test('one that submits and never reads the answers', async () => {
    const listener = await bench.listen({ bindsMax: 3 }, { bounds: { enquireLinkMs: 0 } });
    const good = await startGood(listener);
    const bad = await bench.bound(listener);
    bad.holdReading();
    const flood = Buffer.concat(Array.from({ length: 4_096 }, (_, i) => encodePdu({ command: 'enquire_link', sequence: 1 + i })));
    // The kernel's buffers take the first megabytes; then we read no more, and what it sends stays with it.
    while (bad.unsentOctets < 4 * flood.length) {
      bad.raw(flood);
      await turns(2);
    }
    await bench.drive(bad.closed);
    await expectOthersServed(listener, good);
  });

  test('one whose machine has died: it is asked, does not answer, and its place is free again', async () => {
    const listener = await bench.listen({ bindsMax: 1 });
    const dead = await bench.bound(listener);
    await bench.clock.advance(30_000);
    await dead.next('enquire_link');
    expect(await bindStatus(await bench.bind(listener))).toBe('ESME_RALYBND');
    await bench.clock.advance(10_000);
    await dead.ended;
    expect(await bindStatus(await bench.bind(listener))).toBe('ESME_ROK');
  });

  test('a flood of binds, wrong and half, from one address', async () => {
    const listener = await bench.listen({ bindsMax: 3 }, { connectionsMax: 300 });
    const good = await startGood(listener);
    const wrong = await Promise.all(Array.from({ length: 100 }, () => bench.bind(listener, { password: 'wrong' })));
    const silent = await Promise.all(Array.from({ length: 100 }, () => bench.dial(listener)));
    const twice = await bench.dial(listener);
    const again: OutgoingPdu = { command: 'bind_transceiver', sequence: 1, systemId: 'eplus-app', password: 'sandbox' };
    twice.send(...Array.from({ length: 100 }, (_, i) => ({ ...again, sequence: 1 + i })));
    const statuses = await Promise.all(Array.from({ length: 100 }, () => bindStatus(twice)));
    expect(statuses.sort()).toEqual([...Array<string>(99).fill('ESME_RALYBND'), 'ESME_ROK']);
    expect(new Set(await Promise.all(wrong.map(bindStatus)))).toEqual(new Set(['ESME_RINVPASWD']));
    await Promise.all(wrong.map(({ ended }) => ended));
    await bench.drive(Promise.all(silent.map(({ ended }) => ended)));
    expect(listener.binds.length).toBe(2);
    await expectOthersServed(listener, good);
  });

  test('what a handler never answers holds its own account only up to a bound', async () => {
    const stuck = () => new Promise<never>(() => undefined);
    const listener = await bench.listen({ handlers: { submit_sm: stuck } }, { bounds: { inboundMax: 50 } });
    const peer = await bench.bound(listener);
    peer.send(...Array.from({ length: 60 }, (_, i): OutgoingPdu => ({ command: 'submit_sm', sequence: 10 + i, ...TO })));
    for (let i = 50; i < 60; i++) {
      expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence: 10 + i, commandStatus: STATUS.ESME_RTHROTTLED });
    }
  });
});
