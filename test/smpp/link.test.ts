import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog } from '../../src/kernel/log.js';
import { type Link, type LinkOptions, type LinkState, openLink } from '../../src/smpp/link.js';
import type { Pdu } from '../../src/smpp/pdu.js';
import { STATUS } from '../../src/smpp/statuses.js';
import { readTlv, tlv } from '../../src/smpp/tlvs.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { CERT, KEY } from './certificate.js';
import { createPeer, type Peer, turns } from './peer.js';

const TO = { destinationAddr: '999570000001' };
let clock: FakeClock;
const closing: (() => unknown)[] = [];

/** An SMSC driven by hand: each connection is handed over as a peer. */
async function startSmsc(
  server: Server = createServer(),
  connected: 'connection' | 'secureConnection' = 'connection',
): Promise<{ port: number; next(): Promise<Peer>; connections: number }> {
  const fresh: Peer[] = [];
  const waits: ((peer: Peer) => void)[] = [];
  const smsc = { port: 0, connections: 0, next: () => new Promise<Peer>((resolve) => waits.push(resolve) && hand()) };
  const hand = () => {
    while (fresh.length > 0 && waits.length > 0) waits.shift()?.(fresh.shift() as Peer);
  };
  server.on('tlsClientError', () => undefined);
  const accept = (socket: Socket) => {
    const peer = createPeer(socket);
    closing.push(() => peer.destroy());
    smsc.connections++;
    fresh.push(peer);
    hand();
  };
  server.on(connected, accept);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  const address = server.address();
  smsc.port = typeof address === 'object' && address ? address.port : 0;
  return smsc;
}

interface Watched {
  link: Link;
  /** The next change to this state that was not seen yet. */
  until: (state: LinkState['state']) => Promise<LinkState>;
}

function open(port: number, given: Partial<LinkOptions> = {}): Watched {
  const changes: LinkState[] = [];
  const waits: { state: LinkState['state']; resolve: (state: LinkState) => void }[] = [];
  const hand = () => {
    for (const wait of waits.slice()) {
      const index = changes.findIndex(({ state }) => state === wait.state);
      if (index < 0) continue;
      const found = changes.splice(0, index + 1).at(-1);
      waits.splice(waits.indexOf(wait), 1);
      if (found) wait.resolve(found);
    }
  };
  const onStateChange = (state: LinkState) => {
    changes.push(state);
    hand();
  };
  const link = openLink({
    host: '127.0.0.1', port, systemId: 'causeway', password: 'sandbox', clock, log: createLog('silent'), random: () => 0.5,
    onDeliver: async () => undefined, onStateChange, ...given,
  }); // biome-ignore format: one call
  closing.push(() => void link.close());
  return { link, until: (state) => new Promise((resolve) => waits.push({ state, resolve }) && hand()) };
}

async function accept(smsc: { next(): Promise<Peer> }): Promise<Peer> {
  const peer = await smsc.next();
  const { sequence } = await peer.next('bind_transceiver');
  peer.send({ command: 'bind_transceiver_resp', sequence, systemId: 'SMSC' });
  return peer;
}

beforeEach(() => {
  clock = createFakeClock();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) close();
  await turns(20);
});

describe('a link', () => {
  test('binds with what it was given, submits, and shows its window', async () => {
    const smsc = await startSmsc();
    const { link, until } = open(smsc.port, { systemType: 'CW', windowSizeMax: 3 });
    expect(link.state).toMatchObject({ state: 'unbound', reason: 'connecting' });
    await expect(link.submit(TO)).rejects.toMatchObject({ code: 'SMPP.NOT_BOUND', outcome: 'never-sent' });
    const peer = await accept(smsc);
    await until('bound');
    expect(peer.got[0]).toMatchObject({
      systemId: 'causeway',
      password: 'sandbox',
      systemType: 'CW',
      interfaceVersion: 0x34,
    } satisfies Partial<Pdu>);
    const submitted = link.submit(TO);
    expect([link.windowUsed, link.windowSizeMax, link.waiting]).toEqual([1, 3, 0]);
    const { sequence } = await peer.next('submit_sm');
    peer.send({ command: 'submit_sm_resp', sequence, messageId: '0e99' });
    expect(await submitted).toMatchObject({ messageId: '0e99', sequence, tlvs: [] });
  });

  test('comes back after a loss, with backoff on the clock, and says why it is away', async () => {
    const smsc = await startSmsc();
    const { link, until } = open(smsc.port, { backoff: { firstMs: 1_000, maxMs: 60_000 } });
    const peer = await accept(smsc);
    await until('bound');
    const lost = link.submit(TO);
    await peer.next('submit_sm');
    peer.destroy();
    await expect(lost).rejects.toMatchObject({ code: 'SMPP.LINK_LOST', outcome: 'unknown' });
    // Half of 1,000 ms is fixed, half is drawn: 0.5 gives 750.
    expect(await until('unbound')).toMatchObject({ nextTryAt: clock.now() + 750 });
    expect(['peer-closed', 'socket-failed']).toContain(link.state.reason);
    await clock.advance(749);
    expect(smsc.connections).toBe(1);
    await clock.advance(1);
    await accept(smsc);
    expect(await until('bound')).toMatchObject({ reason: undefined, nextTryAt: undefined });
  });

  test('backs off further while it is refused, naming the status, and starts anew after a bind that held', async () => {
    const smsc = await startSmsc();
    const { until } = open(smsc.port, { enquireLinkMs: 0 });
    for (const waitMs of [750, 1_500, 3_000]) {
      const peer = await smsc.next();
      peer.send({
        command: 'bind_transceiver_resp',
        sequence: (await peer.next('bind_transceiver')).sequence,
        commandStatus: STATUS.ESME_RALYBND,
      });
      expect(await until('unbound')).toMatchObject({ reason: 'ESME_RALYBND', nextTryAt: clock.now() + waitMs });
      await clock.advance(waitMs);
    }
    const flapping = await accept(smsc);
    await until('bound');
    flapping.destroy();
    expect(await until('unbound')).toMatchObject({ nextTryAt: clock.now() + 6_000 });
    await clock.advance(6_000);
    const steady = await accept(smsc);
    await until('bound');
    await clock.advance(10_000);
    steady.destroy();
    expect(await until('unbound')).toMatchObject({ nextTryAt: clock.now() + 750 });
  });

  test('tries again when nobody listens', async () => {
    const smsc = await startSmsc();
    const free = await startSmsc();
    closing.splice(closing.length - 1, 1)[0]?.();
    await turns();
    let port = free.port;
    const { until } = open(0, { port: () => port });
    expect(await until('unbound')).toMatchObject({ reason: 'socket-failed' });
    port = smsc.port;
    await clock.advance(750);
    await accept(smsc);
    await until('bound');
  });

  test('gives up an SMSC that accepts and says nothing', async () => {
    const smsc = await startSmsc();
    const { until } = open(smsc.port, { responseTimeoutMs: 5_000 });
    await (await smsc.next()).next('bind_transceiver');
    await clock.advance(5_000);
    expect(await until('unbound')).toMatchObject({ reason: 'bind-timeout' });
  });

  test('answers deliver_sm only when its handler is done, and never OK when that failed', async () => {
    const smsc = await startSmsc();
    const finish: (() => void)[] = [];
    const onDeliver = () => new Promise<void>((resolve, reject) => finish.push(resolve, () => reject(new Error('disk full'))));
    const { until } = open(smsc.port, { onDeliver });
    const peer = await accept(smsc);
    await until('bound');
    peer.send(
      { command: 'deliver_sm', sequence: 1, ...TO },
      { command: 'deliver_sm', sequence: 2, ...TO },
      { command: 'enquire_link', sequence: 3 },
    );
    await peer.next('enquire_link_resp');
    expect(peer.got.some(({ command }) => command === 'deliver_sm_resp')).toBe(false);
    finish[3]?.();
    finish[0]?.();
    expect(await peer.next('deliver_sm_resp')).toMatchObject({ sequence: 2, commandStatus: STATUS.ESME_RX_T_APPN });
    expect(await peer.next('deliver_sm_resp')).toMatchObject({ sequence: 1, commandStatus: 0 });
  });

  test('queries, cancels and replaces, sends data_sm and submit_multi, and hands up what the SMSC says of itself', async () => {
    const smsc = await startSmsc();
    const { link, until } = open(smsc.port);
    await expect(link.querySm({ messageId: 'a1' })).rejects.toMatchObject({ code: 'SMPP.NOT_BOUND', outcome: 'never-sent' });
    const peer = await accept(smsc);
    await until('bound');
    const queried = link.querySm({ messageId: 'a1', sourceAddr: 'CAUSEWAY' });
    const query = await peer.next('query_sm');
    expect(query).toMatchObject({ messageId: 'a1', sourceAddr: 'CAUSEWAY' });
    peer.send({
      command: 'query_sm_resp',
      sequence: query.sequence,
      messageId: 'a1',
      messageState: 2,
      errorCode: 3,
      finalDate: '261122100000000+',
    });
    expect(await queried).toMatchObject({ messageState: 2, errorCode: 3, finalDate: '261122100000000+' });

    const cancelled = link.cancelSm({ messageId: 'a1', sourceAddr: 'CAUSEWAY', ...TO });
    peer.send({ command: 'cancel_sm_resp', sequence: (await peer.next('cancel_sm')).sequence, commandStatus: STATUS.ESME_RCANCELFAIL });
    await expect(cancelled).rejects.toMatchObject({ code: 'SMPP.REFUSED', statusName: 'ESME_RCANCELFAIL' });

    const replaced = link.replaceSm({ messageId: 'a1', sourceAddr: 'CAUSEWAY', shortMessage: Buffer.from('new') });
    peer.send({ command: 'replace_sm_resp', sequence: (await peer.next('replace_sm')).sequence });
    expect(await replaced).toMatchObject({ commandStatus: 0 });

    const payload = tlv('message_payload', Buffer.from('hi'));
    const sent = link.dataSm({ ...TO, tlvs: [payload] });
    const data = await peer.next('data_sm');
    expect(data.tlvs).toEqual([payload]);
    peer.send({ command: 'data_sm_resp', sequence: data.sequence, messageId: 'a2', tlvs: [tlv('congestion_state', 80)] });
    expect(readTlv((await sent).tlvs, 'congestion_state')).toBe(80);

    const destinations = [{ destAddrTon: 1, destAddrNpi: 1, destinationAddr: '1' }, { dlName: 'staff' }];
    const many = link.submitMulti({ destinations, shortMessage: Buffer.from('hi') });
    const multi = await peer.next('submit_multi');
    expect(multi.destinations).toEqual(destinations);
    const unsuccessSmes = [{ destAddrTon: 1, destAddrNpi: 1, destinationAddr: '1', errorStatusCode: STATUS.ESME_RINVDSTADR }];
    peer.send({ command: 'submit_multi_resp', sequence: multi.sequence, messageId: 'a3', unsuccessSmes });
    expect(await many).toMatchObject({ messageId: 'a3', unsuccessSmes });

    const throttled = link.submit(TO);
    const { sequence } = await peer.next('submit_sm');
    peer.send({ command: 'submit_sm_resp', sequence, commandStatus: STATUS.ESME_RTHROTTLED, tlvs: [tlv('congestion_state', 99)] });
    await expect(throttled).rejects.toMatchObject({ statusName: 'ESME_RTHROTTLED', congestionState: 99 });
  });

  test('takes data_sm and alert_notification where it was told how', async () => {
    const smsc = await startSmsc();
    const seen: string[] = [];
    const deaf = open(smsc.port);
    const first = await accept(smsc);
    await deaf.until('bound');
    first.send({ command: 'alert_notification', sequence: 1, sourceAddr: '1' }, { command: 'data_sm', sequence: 2, ...TO });
    expect(await first.next('data_sm_resp')).toMatchObject({ sequence: 2, commandStatus: STATUS.ESME_RINVCMDID });
    const { until } = open(smsc.port, {
      onData: async ({ destinationAddr }) => void seen.push(`data to ${destinationAddr}`),
      onAlert: ({ sourceAddr }) => void seen.push(`alert of ${sourceAddr}`),
    });
    const peer = await accept(smsc);
    await until('bound');
    peer.send({ command: 'alert_notification', sequence: 1, sourceAddr: '1' }, { command: 'data_sm', sequence: 2, ...TO });
    expect(await peer.next('data_sm_resp')).toMatchObject({ sequence: 2, commandStatus: 0 });
    expect(seen).toEqual(['alert of 1', 'data to 999570000001']);
  });

  test('unbinds before it closes, does not come back, and leaves no timer', async () => {
    const smsc = await startSmsc();
    const { link, until } = open(smsc.port);
    const peer = await accept(smsc);
    await until('bound');
    const closed = link.close();
    peer.send({ command: 'unbind_resp', sequence: (await peer.next('unbind')).sequence });
    await closed;
    await link.close();
    expect(link.state).toMatchObject({ state: 'closed', reason: 'closed-by-us' });
    await expect(link.submit(TO)).rejects.toMatchObject({ code: 'SMPP.NOT_BOUND' });
    expect([clock.pending(), smsc.connections]).toEqual([0, 1]);
  });

  test('can be closed while it connects and while it waits', async () => {
    const smsc = await startSmsc();
    const connecting = open(smsc.port);
    await connecting.link.close();
    const waiting = open(1, { port: 70_000 });
    expect(waiting.link.state.reason).toBe('socket-failed');
    await waiting.link.close();
    expect([connecting.link.state.state, waiting.link.state.state, clock.pending()]).toEqual(['closed', 'closed', 0]);
  });

  test('over TLS binds with a server that it can verify, and with no other', async () => {
    const smsc = await startSmsc(createTlsServer({ cert: CERT, key: KEY }), 'secureConnection');
    const trusting = open(smsc.port, { tls: { ca: CERT } });
    await accept(smsc);
    await trusting.until('bound');
    const strict = open(smsc.port, { tls: {} });
    expect(await strict.until('unbound')).toMatchObject({ reason: 'socket-failed' });
  });

  test('over TLS shows its client certificate to a server that asks for one', async () => {
    const asking = createTlsServer({ cert: CERT, key: KEY, ca: CERT, requestCert: true });
    const smsc = await startSmsc(asking, 'secureConnection');
    const known = open(smsc.port, { tls: { ca: CERT, cert: CERT, key: KEY } });
    await accept(smsc);
    await known.until('bound');
    const stranger = open(smsc.port, { tls: { ca: CERT } });
    const { reason } = await stranger.until('unbound');
    expect(['socket-failed', 'peer-closed', 'bind-refused']).toContain(reason);
    expect(smsc.connections).toBe(1);
  });
});
