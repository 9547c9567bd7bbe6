import { connect } from 'node:net';
import smpp from 'smpp';
import { expect, test } from 'vitest';
import { bindEsme, closeAfterEach, PASSWORD, startSmsc } from './esme.js';

closeAfterEach();

const HER = '+999571234567';

function header(length: number, command: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const pdu = Buffer.alloc(16);
  pdu.writeUInt32BE(length, 0);
  pdu.writeUInt32BE(command, 4);
  pdu.writeUInt32BE(1, 12);
  return Buffer.concat([pdu, body]);
}

const whole = (command: number, body: Buffer = Buffer.alloc(0)) => header(16 + body.length, command, body);
const submitBody = (tail: number[]) =>
  Buffer.concat([
    Buffer.from('\0\x01\x01' + '9995790000001\0' + '\x01\x01' + '999571234567\0' + '\0\0\0\0\0\x01\0\0\0', 'latin1'),
    Buffer.from(tail),
  ]);
const UDH_FLAGGED = submitBody([2, 255, 0]);
UDH_FLAGGED[33] = 0x40;

/** What the package by itself dies of, or stops reading at (sms.md 4.1). */
const CLOSES = [
  ['command_length 0', header(0, 4)],
  ['command_length 1', header(1, 4)],
  ['command_length 4', header(4, 4)],
  ['command_length 15', header(15, 4)],
  ['command_length 16,385', header(16_385, 4)],
  ['command_length 0x7fffffff', header(0x7fffffff, 4)],
  ['command_length 0xffffffff', header(0xffffffff, 4)],
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex')],
  ['a TLV with too few octets for its type', whole(4, submitBody([0, 0x02, 0x0c, 0, 1]))],
  ['submit_multi with absent destinations', whole(0x21, Buffer.from([0, 1, 1, 0x39, 0, 255]))],
] as const;

/** What the package takes for good: answered with an error status, and the connection goes on. */
const REFUSES = [
  ['submit_sm without a body', whole(4), 'ESME_RINVDSTADR'],
  ['submit_sm that ends after the destination', whole(4, submitBody([]).subarray(0, 33)), 'ESME_RINVMSGLEN'],
  ['an empty destination', whole(4, Buffer.from('\0\x01\x01123\0\x01\x01\0\0\0\0\0\0\x01\0\0\0\0', 'latin1')), 'ESME_RINVDSTADR'],
  [
    'a destination of 200 digits',
    whole(4, Buffer.from(`\0\x01\x01123\0\x01\x01${'9'.repeat(200)}\0\0\0\0\0\0\x01\0\0\0\0`, 'latin1')),
    'ESME_RINVDSTADR',
  ],
  ['an unknown command', whole(0x0abc), 'ESME_RINVCMDID'],
  ['outbind from an ESME', whole(0x0b), 'ESME_RINVCMDID'],
  ['query_sm', whole(3), 'ESME_RINVCMDID'],
  ['deliver_sm from an ESME', whole(5), 'ESME_RINVCMDID'],
] as const;

/** What has no certain answer: anything but the end of the process or a stuck SMSC will do. */
const ANYTHING = [
  ['a response that nobody asked for', whole(0x80000004)],
  ['generic_nack', whole(0x80000000)],
  ['sm_length past the end', whole(4, submitBody([200, 65, 66]))],
  ['a TLV length past the end', whole(4, submitBody([0, 0x04, 0x24, 0xff, 0xff, 1]))],
  ['a UDH longer than the message', whole(4, UDH_FLAGGED)],
] as const;

const bindPdu = () => new smpp.PDU('bind_transceiver', { system_id: 'causeway', password: PASSWORD, sequence_number: 1 }).toBuffer();

/** A bound raw connection: writes, and gives what came back, or that it was closed. */
async function openRaw(port: number) {
  const socket = connect({ host: '127.0.0.1', port });
  let got = Buffer.alloc(0);
  let wake = () => {};
  socket.on('data', (data: Buffer) => {
    got = Buffer.concat([got, data]);
    wake();
  });
  socket.on('error', () => {});
  const closed = new Promise<'closed'>((resolve) => socket.on('close', () => resolve('closed')));
  async function answer(): Promise<{ command: number; status: number }> {
    while (got.length < 16 || got.length < got.readUInt32BE(0)) await new Promise<void>((resolve) => (wake = resolve));
    const read = { command: got.readUInt32BE(4), status: got.readUInt32BE(8) };
    got = got.subarray(got.readUInt32BE(0));
    return read;
  }
  socket.write(bindPdu());
  await answer();
  return { socket, closed, answer };
}

async function expectServes(port: number) {
  const esme = await bindEsme(port);
  expect((await esme.submit(HER)).command_status).toBe(0);
}

test.each(CLOSES)('%s ends that connection and no other', async (_name, bytes) => {
  const { smsc } = await startSmsc();
  const bystander = await bindEsme(smsc.port);
  const raw = await openRaw(smsc.port);
  raw.socket.write(bytes);
  expect(await raw.closed).toBe('closed');
  expect((await bystander.submit(HER)).command_status).toBe(0);
});

test.each(REFUSES)('%s is refused, and the connection goes on', async (_name, bytes, status) => {
  const { smsc } = await startSmsc();
  const raw = await openRaw(smsc.port);
  raw.socket.write(bytes);
  expect((await raw.answer()).status).toBe(smpp.errors[status]);
  raw.socket.write(whole(0x15));
  expect(await raw.answer()).toEqual({ command: 0x80000015, status: 0 });
  expect(smsc.submitted({ limit: 1 })).toEqual([]);
  raw.socket.destroy();
});

test.each(ANYTHING)('after %s the SMSC serves on', async (_name, bytes) => {
  const { smsc } = await startSmsc();
  const raw = await openRaw(smsc.port);
  raw.socket.write(Buffer.concat([bytes, whole(0x15)]));
  const outcome = await Promise.race([raw.closed, raw.answer()]);
  expect(outcome).toBeDefined();
  await expectServes(smsc.port);
  raw.socket.destroy();
});

test('a connection that never binds is cut after 30 seconds, a silent one after two minutes and one question', async () => {
  const { smsc, clock } = await startSmsc();
  const bound = await openRaw(smsc.port);
  const mute = connect({ host: '127.0.0.1', port: smsc.port });
  mute.on('error', () => {});
  const cut = new Promise((resolve) => mute.on('close', resolve));
  // A second bind is answered after the mute connection was taken in: both came over the same listener, in order.
  const last = await openRaw(smsc.port);
  await clock.advance(30_000);
  await cut;
  await clock.advance(30_000);
  expect((await bound.answer()).command).toBe(0x15);
  last.socket.destroy();
  await clock.advance(60_000);
  expect(await bound.closed).toBe('closed');
});

test('half a PDU does not hold a connection for ever', async () => {
  const { smsc, clock } = await startSmsc();
  const raw = await openRaw(smsc.port);
  raw.socket.write(header(16_384, 4));
  await clock.advance(60_000);
  await clock.advance(60_000);
  expect(await raw.closed).toBe('closed');
});

test('closing ends every connection, leaves nothing listening, and may be called twice', async () => {
  const { smsc } = await startSmsc();
  const raw = await openRaw(smsc.port);
  await smsc.close();
  await smsc.close();
  expect(await raw.closed).toBe('closed');
  const again = connect({ host: '127.0.0.1', port: smsc.port });
  await expect(new Promise((_resolve, reject) => again.on('error', reject))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
