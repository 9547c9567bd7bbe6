import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSender } from '../../src/events/sender.js';
import { isAllowedAddress, readSink } from '../../src/events/sink-address.js';
import { systemClock } from '../../src/kernel/clock.js';

const production = { allowLoopback: false };
const sandbox = { allowLoopback: true };
const never = new AbortController().signal;

describe('addresses that the gateway never connects to', () => {
  const refused = [
    '127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '::127.0.0.1', '::7f00:1', '0.0.0.0', '::', '10.0.0.1', '10.255.255.255', '172.16.0.1', '192.168.1.1',
    '169.254.169.254', '100.64.0.1', '100.100.100.200', '168.63.129.16', '192.0.0.8', '192.0.2.1', '198.18.0.1', '224.0.0.1', '255.255.255.255',
    '::ffff:10.0.0.1', '::10.0.0.1', '64:ff9b::a00:1', '64:ff9b:1::1', '2002:a00:1::', '2001::1', '2001:db8::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1',
    'fec0::1', 'ff02::1', '100::1', 'no address', '',
  ]; // biome-ignore format: one glance, one list
  test.each(refused)('«%s»', (address) => expect(isAllowedAddress(address, production)).toBe(false));

  test('the sandbox allows loopback and nothing else of them', () => {
    const loopback = ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '::127.0.0.1'];
    expect(refused.filter((address) => isAllowedAddress(address, sandbox))).toEqual(loopback);
  });

  test.each(['8.8.8.8', '93.184.216.34', '2606:4700::1111', '::ffff:8.8.8.8'])('public addresses are allowed: %s', (address) => {
    expect(isAllowedAddress(address, production)).toBe(true);
  });
});

describe('sinks', () => {
  test.each([
    'http://hooks.example/x', 'https://127.0.0.1/', 'https://2130706433/', 'https://0x7f000001/', 'https://0x7f.1/', 'https://017700000001/', 'https://127.1/',
    'https://0/', 'https://[::ffff:127.0.0.1]/', 'https://[::ffff:7f00:1]/', 'https://[::1]/', 'https://１２７.0.0.1/', 'https://169.254.169.254/latest/meta-data',
    'https://10.1.2.3/', 'https://user:secret@hooks.example/', 'https://hooks.example/#x', 'ftp://hooks.example/', 'file:///etc/passwd', 'hooks.example', '',
    `https://hooks.example/${'x'.repeat(2048)}`,
  ])('refused in production: %.80s', (sink) => {
    expect(() => readSink(sink, production)).toThrow(expect.objectContaining({ code: 'EVENTS.SINK_NOT_ALLOWED', status: 422 }));
  }); // biome-ignore format: one glance, one list

  test('the sandbox takes http to this machine and to no other', () => {
    for (const sink of ['http://127.0.0.1:1/', 'http://localhost:1/x', 'http://[::1]:1/']) expect(readSink(sink, sandbox).href).toBe(sink);
    for (const sink of [
      'http://hooks.example/',
      'http://8.8.8.8/',
      'http://localhost.evil.example/',
      'https://10.0.0.1/',
      'https://0.0.0.0/',
    ]) {
      expect(() => readSink(sink, sandbox)).toThrow();
    }
  });

  test('https is taken, also at a public literal', () => {
    expect(readSink('https://hooks.example/a?b=c', production).host).toBe('hooks.example');
    expect(readSink('https://8.8.8.8/', production).host).toBe('8.8.8.8');
  });
});

describe('each attempt is judged anew', () => {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.end();
  });
  beforeAll(() => new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done())));
  afterAll(() => new Promise<void>((done) => server.close(() => done())));
  const port = () => (server.address() as { port: number }).port;
  const send = async (sink: string, addresses: string[], rules = production) => {
    const sender = createSender({ clock: systemClock, rules, resolve: async () => addresses });
    try {
      return await sender.send({ sink, headers: {}, body: '{}', signal: never });
    } finally {
      await sender.close();
    }
  };

  test.each([[['127.0.0.1']], [['::ffff:127.0.0.1']], [['8.8.8.8', '127.0.0.1']], [['169.254.169.254']], [['10.0.0.1']], [[]]])(
    'a name that resolves to %j is not connected to',
    async (addresses) => {
      expect(await send(`https://hooks.example:${port()}/`, addresses)).toEqual({ outcome: 'address' });
      expect(requests).toBe(0);
    },
  );

  // undici never asks its lookup for a literal (libraries.md fact 7).
  test.each(['https://127.0.0.1', 'https://[::ffff:127.0.0.1]', 'https://2130706433'])(
    'a literal is not connected to: %s',
    async (origin) => {
      expect(await send(`${origin}:${port()}/`, ['8.8.8.8'])).toEqual({ outcome: 'address' });
      expect(requests).toBe(0);
    },
  );

  test('in the sandbox a name of this machine is reached, at the address that was judged', async () => {
    expect(await send(`http://localhost:${port()}/`, ['127.0.0.1'], sandbox)).toMatchObject({ outcome: 'answered', httpStatus: 200 });
    expect(requests).toBe(1);
    expect(await send(`http://localhost:${port()}/`, ['10.0.0.1'], sandbox)).toEqual({ outcome: 'address' });
  });
});
