import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aMessage, openRig, type Person, type Rig, seeded } from './rig.js';
import { envelopesOf, isDrained, openClient, type StreamClient } from './stream-client.js';

let rig: Rig;
let sender: Person;
let recipient: Person;
let url: string;
beforeEach(async () => {
  rig = await openRig();
  sender = await rig.person('+999100001');
  recipient = await rig.person('+999100002');
  url = await rig.listen();
});
afterEach(() => rig.close());

const tokenOf = (person: Person) => `${person.accountId}.${person.deviceId}`;
const open = (person = recipient): Promise<StreamClient> => openClient(url, tokenOf(person));
const send = (id: string, more = {}) => rig.engine.calls.sendMessage(sender, recipient.accountId, aMessage(recipient, id, more));
const sendMany = (count: number, from = 0) => Promise.all(Array.from({ length: count }, (_, i) => send(`c${from + i}`)));
const waitingRows = async (person = recipient) =>
  (await rig.store.messages.read('SELECT id FROM engine_envelope WHERE device_id = $1', [person.deviceId])).length;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const until = async (holds: () => boolean | Promise<boolean>) => {
  while (!(await holds())) await turn();
};
const ids = (client: StreamClient) => envelopesOf(client.frames).map((frame) => frame.body?.['clientMsgId']);
const named = (from: number, count: number) => Array.from({ length: count }, (_, i) => `c${from + i}`);

describe('receiving', () => {
  test('the queue is drained in order, its end is told once, and what is sent later follows', async () => {
    await sendMany(40);
    const client = await open();
    await client.until(isDrained);
    expect(ids(client)).toEqual(named(0, 40));
    await send('c40');
    await client.until((frames) => envelopesOf(frames).length === 41);
    expect(client.frames.filter((frame) => frame.path === '/queue/empty')).toHaveLength(1);
    expect(client.frames.at(-1)?.body).toMatchObject({ seq: 41, kind: 'message', body: 'opaque c40' });
  });

  test('the answer 200 is the ack: the row goes and the sender, on its own stream, learns of it', async () => {
    const [client, other] = [await open(), await open(sender)];
    const { messageId } = await send('c1');
    client.answer(envelopesOf(await client.until((frames) => envelopesOf(frames).length === 1)));
    const [status] = envelopesOf(await other.until((frames) => envelopesOf(frames).length === 1));
    expect(status?.body).toMatchObject({ kind: 'status', suite: 'json-1' });
    expect(JSON.parse(String(status?.body?.['body']))).toMatchObject({ clientMsgId: 'c1', messageId, status: 'delivered' });
    expect(await waitingRows()).toBe(0);
  });

  test('any other answer is no ack: the envelope comes again on the next connection', async () => {
    await send('c1');
    const client = await open();
    client.answer(envelopesOf(await client.until(isDrained)), 503);
    // Its answer comes after the 503 was handled.
    await client.call('GET', '/keys/count');
    expect(await waitingRows()).toBe(1);
    expect(ids(client)).toEqual(['c1']);
    client.socket.terminate();
    const again = await open();
    await again.until(isDrained);
    expect(ids(again)).toEqual(['c1']);
  });

  test('after a reconnect what was not acknowledged comes again, in order, and what was does not', async () => {
    await sendMany(20);
    const client = await open();
    const envelopes = envelopesOf(await client.until(isDrained));
    client.answer(envelopes.filter((_, i) => i % 2 === 0));
    await until(async () => (await waitingRows()) === 10);
    client.socket.terminate();
    const again = await open();
    await again.until(isDrained);
    expect(ids(again)).toEqual(named(0, 20).filter((_, i) => i % 2 === 1));
  });

  test('never more than 256 are unanswered, and each ack lets one more through', async () => {
    await sendMany(300);
    const client = await open();
    await client.until((frames) => envelopesOf(frames).length === 256);
    await client.call('GET', '/keys/count');
    expect(envelopesOf(client.frames)).toHaveLength(256);
    expect(isDrained(client.frames)).toBe(false);
    client.answer(envelopesOf(client.frames).slice(0, 4));
    await client.until((frames) => envelopesOf(frames).length === 260);
    client.answer(envelopesOf(client.frames).slice(4));
    await client.until(isDrained);
    expect(ids(client)).toEqual(named(0, 300));
  });

  test('a reader that stops costs a bounded buffer, and gets everything once it reads again', async () => {
    const body = 'x'.repeat(131_072);
    const [device] = aMessage(recipient, 'x').devices;
    await Promise.all(named(0, 200).map((id) => send(id, { devices: [{ ...device, body }] })));
    const reads: number[] = [];
    const read = rig.store.messages.read.bind(rig.store.messages);
    rig.store.messages.read = (sql, parameters) => {
      if (sql.includes('seq >')) reads.push(Number(parameters?.[1]));
      return read(sql, parameters);
    };
    const [client, bystander] = [await open(), await open(sender)];
    client.socket.pause();
    // The sockets' own buffers take some; then the pump must stand still, for 50 round trips of somebody else.
    for (let quiet = 0, before = -1; quiet < 50; ) {
      await bystander.call('GET', '/keys/count');
      quiet = reads.length === before ? quiet + 1 : 0;
      before = reads.length;
    }
    // The system's buffers take some 10 MiB at most; all of it would be 25.
    expect(Math.max(...reads)).toBeLessThan(150);
    // Wake-ups and beats do not make it read on.
    await send('late');
    await rig.clock.advance(30_000);
    expect(Math.max(...reads)).toBeLessThan(150);
    client.socket.resume();
    await client.until((frames) => envelopesOf(frames).length === 201);
    expect(ids(client)).toEqual([...named(0, 200), 'late']);
  });

  test('a wake-up that is lost is made good by the next beat', async () => {
    const deaf = await openRig({ options: { bus: { publish() {}, subscribe: () => () => {} } } });
    try {
      const [from, to] = [await deaf.person('+999100001'), await deaf.person('+999100002')];
      const client = await openClient(await deaf.listen(), tokenOf(to));
      await client.until(isDrained);
      await deaf.engine.calls.sendMessage(from, to.accountId, aMessage(to, 'c1'));
      await deaf.clock.advance(30_000);
      await client.until((frames) => envelopesOf(frames).length === 1);
    } finally {
      await deaf.close();
    }
  });

  test('envelopes arrive once each and in order while many send and the device acknowledges at its own pace', async () => {
    const random = seeded(7);
    const client = await open();
    client.socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { id: string; path?: string };
      if (frame.path === '/message') void answerLater(frame.id);
    });
    const answerLater = async (id: string) => {
      for (let turns = Math.floor(random() * 30); turns > 0; turns--) await turn();
      client.answer([{ id, t: 'req' }]);
    };
    for (let i = 0; i < 400; i += 40) await sendMany(40, i);
    await client.until((frames) => envelopesOf(frames).length === 400);
    await until(async () => (await waitingRows()) === 0);
    expect(ids(client)).toEqual(named(0, 400));
  });
});

describe('calling', () => {
  test('REST’s calls are answered over the stream, failures as problems with their members', async () => {
    const client = await open(sender);
    const sent = await client.call('PUT', `/messages/${recipient.accountId}`, aMessage(recipient, 'c1'));
    expect(sent).toMatchObject({ status: 200, body: { replayed: false } });
    const wrong = { ...aMessage(recipient, 'c2'), devices: aMessage(sender, 'c2').devices };
    expect(await client.call('PUT', `/messages/${recipient.accountId}`, wrong)).toMatchObject({
      status: 409,
      body: { code: 'MESSAGING.DEVICES_MISMATCH', missingDevices: [recipient.deviceId], extraDevices: [sender.deviceId] },
    });
    expect(await client.call('PUT', '/keys', { oneTimeKeys: [{ id: 'k', body: 'b' }] })).toMatchObject({ body: { oneTimeKeyCount: 1 } });
    expect(await client.call('POST', '/keys/query', { accountIds: [sender.accountId] })).toMatchObject({ status: 200 });
    expect(
      await client.call('POST', '/keys/claim', { devices: [{ accountId: sender.accountId, deviceId: sender.deviceId }] }),
    ).toMatchObject({
      body: { keys: [{ id: 'k', fallback: false }] },
    });
    expect(await client.call('POST', '/contacts/search', { msisdns: [recipient.msisdn] })).toMatchObject({
      body: { items: [{ accountId: recipient.accountId }] },
    });
    expect(await client.call('GET', '/bridge-keys')).toMatchObject({
      body: { items: [{ keyId: 'bridge-1', notBefore: '1970-01-01T00:00:00.000Z' }] },
    });
    expect(await client.call('PUT', '/keys', { oneTimeKeys: 'many' })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/oneTimeKeys' }] },
    });
    for (const path of ['/nowhere', '/messages/', '/messages/a/b', '/../keys', '/keys?x=1']) {
      expect(await client.call('PUT', path)).toMatchObject({ status: 404 });
    }
  });

  test('too many calls close the stream with 4429', async () => {
    const strict = await openRig({ options: { limits: { streamCalls: { points: 5, windowSeconds: 60 } } } });
    try {
      const person = await strict.person('+999100001');
      const client = await openClient(await strict.listen(), tokenOf(person));
      for (let i = 0; i < 6; i++) client.socket.send(JSON.stringify({ id: `${i}`, t: 'req', verb: 'GET', path: '/keys/count' }));
      expect(await client.closed).toBe(4429);
    } finally {
      await strict.close();
    }
  });
});

describe('who may be connected', () => {
  test('the token is taken from the header or the subprotocol', async () => {
    const client = await openClient(url, tokenOf(recipient), 'subprotocol');
    await client.until(isDrained);
    expect(client.socket.protocol).toBe('causeway.v1');
  });

  test('without a valid token, or with that of a replaced device, it closes with 4401', async () => {
    const stale = tokenOf(recipient);
    await rig.register(recipient.msisdn);
    for (const token of ['nonsense', '', stale]) expect(await (await openClient(url, token)).closed).toBe(4401);
  });

  test('a newer connection of the same device closes the older with 4409 and gets what that did not acknowledge', async () => {
    await send('c1');
    const older = await open();
    await older.until(isDrained);
    const newer = await open();
    expect(await older.closed).toBe(4409);
    await newer.until(isDrained);
    expect(ids(newer)).toEqual(['c1']);
    await until(() => rig.engine.stream.open() === 1);
  });

  test('of ten connections at the same instant exactly one is left', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => open()));
    await until(() => rig.engine.stream.open() === 1);
    await until(() => clients.filter((client) => client.socket.readyState === client.socket.OPEN).length === 1);
    const codes = await Promise.all(
      clients.filter((client) => client.socket.readyState !== client.socket.OPEN).map((client) => client.closed),
    );
    expect(codes).toEqual(Array.from({ length: 9 }, () => 4409));
  });

  test('the stream of a device that is replaced, or whose line changes hands, closes with 4401', async () => {
    const replaced = await open();
    recipient = await rig.register(recipient.msisdn);
    expect(await replaced.closed).toBe(4401);
    const ended = await open();
    await rig.engine.lines.raise({ id: 'swap', msisdn: recipient.msisdn, partnerId: 'e-plus', market: 'XS', cause: 'ported' });
    expect(await ended.closed).toBe(4401);
  });

  test('a peer that answers no ping is closed with 4408', async () => {
    const client = await openClient(url, tokenOf(recipient));
    await client.until(isDrained);
    // It reads, but its pongs are swallowed.
    client.socket.pong = () => {};
    const silent = client.closed;
    client.socket.removeAllListeners('ping');
    const receiver = Reflect.get(client.socket, '_receiver') as { removeAllListeners(event: string): void };
    receiver.removeAllListeners('ping');
    await rig.clock.advance(90_000);
    expect(await silent).toBe(4408);
  });

  test('one that answers stays', async () => {
    const client = await open();
    for (let beat = 0; beat < 10; beat++) {
      const pinged = new Promise<void>((resolve) => client.socket.once('ping', () => resolve()));
      await rig.clock.advance(30_000);
      await pinged;
      // The pong goes out with the ping; an answered call has passed it.
      await client.call('GET', '/keys/count');
    }
    expect(client.socket.readyState).toBe(client.socket.OPEN);
  });

  test('openings from one address are limited, and other paths are left alone', async () => {
    const strict = await openRig({ options: { limits: { streams: { points: 2, windowSeconds: 60 } } } });
    try {
      const strictUrl = await strict.listen();
      for (const code of [4401, 4401, 1006]) expect(await (await openClient(strictUrl, 'nonsense')).closed).toBe(code);
      const elsewhere = strictUrl.replace('/stream', '/elsewhere');
      expect(await (await openClient(elsewhere, 'nonsense')).closed).toBe(1006);
    } finally {
      await strict.close();
    }
  });
});

describe('what is not a frame', () => {
  const garbage: [string, string | Buffer, number][] = [
    ['no JSON', 'hello', 1007],
    ['no object', '[1,2]', 1007],
    ['null', 'null', 1007],
    ['empty', '', 1007],
    ['no id', '{"t":"req","verb":"GET","path":"/keys/count"}', 1007],
    ['an id of 65 characters', JSON.stringify({ id: 'x'.repeat(65), t: 'res', status: 200 }), 1007],
    ['an id that is no text', '{"id":7,"t":"res","status":200}', 1007],
    ['an unknown kind', '{"id":"a","t":"push"}', 1007],
    ['a status that is no number', '{"id":"a","t":"res","status":"200"}', 1007],
    ['deep nesting', '['.repeat(100_000), 1007],
    ['binary', Buffer.from('{"id":"a","t":"res","status":200}'), 1003],
    ['more than 256 KiB', JSON.stringify({ id: 'a', t: 'res', status: 200, body: 'x'.repeat(262_144) }), 4413],
    ['more than 1 MiB', 'x'.repeat(1_048_577), 1009],
  ];
  test.each(garbage)('%s closes that stream, and nothing else', async (_, frame, code) => {
    const bystander = await open(sender);
    const client = await open();
    client.socket.send(frame);
    expect(await client.closed).toBe(code);
    expect(await bystander.call('GET', '/keys/count')).toMatchObject({ status: 200 });
  });

  test('answers to nothing, twice, and to an ack that is running are ignored', async () => {
    await send('c1');
    const client = await open();
    const [envelope] = envelopesOf(await client.until(isDrained));
    for (const id of ['never', 'empty', envelope?.id, envelope?.id, 'm999', '__proto__'])
      client.socket.send(JSON.stringify({ id, t: 'res', status: 200 }));
    await client.call('GET', '/keys/count');
    await until(async () => (await waitingRows()) === 0);
    expect(await waitingRows(sender)).toBe(1);
  });

  test('octets that are no WebSocket frame close that socket, and the server goes on', async () => {
    const random = seeded(42);
    const port = Number(new URL(url).port);
    for (let round = 0; round < 30; round++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      const head = `GET /messaging/v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer ${tokenOf(recipient)}\r\n\r\n`;
      socket.write(head);
      await new Promise<void>((resolve) => socket.once('data', () => resolve()));
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      // The first octet has a reserved bit or opcode, so no frame can begin with it.
      socket.write(Buffer.from([0xff, ...Array.from({ length: 1 + Math.floor(random() * 200) }, () => Math.floor(random() * 256))]));
      await closed;
    }
    const client = await open();
    await client.until(isDrained);
  });

  test('a handshake that is none is refused, and a caller that hangs up in the middle harms nobody', async () => {
    const port = Number(new URL(url).port);
    const refused = await new Promise<number | undefined>((resolve) => {
      const call = request({
        port,
        host: '127.0.0.1',
        path: '/messaging/v1/stream',
        headers: { connection: 'Upgrade', upgrade: 'websocket' },
      });
      call.on('response', (response) => resolve(response.statusCode));
      call.end();
    });
    expect(refused).toBe(400);
    const rude = connect(port, '127.0.0.1');
    rude.write('GET /messaging/v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    rude.resetAndDestroy();
    const client = await open();
    await client.until(isDrained);
  });
});

test('closing the engine closes every stream with 1001', async () => {
  const clients = [await open(), await open(sender)];
  await rig.engine.close();
  expect(await Promise.all(clients.map((client) => client.closed))).toEqual([1001, 1001]);
});
