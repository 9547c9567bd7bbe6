import { once } from 'node:events';
import type { Server } from 'node:net';
import smpp, { type Pdu as TheirPdu } from 'smpp';
import { systemClock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import { decodeText, encodeGsm, type Link, openLink, openListener } from '../../src/smpp/index.js';
import { type Bench, type Comparison, type OpenBench, type Round, type Side, timed } from './bench.js';

const TEXT = 'Your code is 493021. It is good for five minutes. '.padEnd(160, 'Do not tell it to anybody. ');
const FROM = 'CAUSEWAY';
const TO = '999570000001';
const ACCOUNT = { systemId: 'bench', password: 'bench' };
const WINDOWS = [1, 10, 100] as const;

/** One end that submits and one that answers, over a TCP connection of the loopback, both in this process. */
interface Pair {
  /** Submits the text and resolves when it was answered with status 0. */
  submit(): Promise<void>;
  /** Texts that the answering end has read. */
  read(): number;
  close(): Promise<void>;
}

/** Keeps `window` submits on the wire until `count` were answered. */
function side(name: string, pair: Pair, window: number, count: number): Side {
  return {
    name,
    async round(): Promise<Round> {
      const before = pair.read();
      let started = 0;
      const lane = async (): Promise<void> => {
        while (started++ < count) await pair.submit();
      };
      const round = await timed(count, async () => {
        await Promise.all(Array.from({ length: window }, lane));
      });
      if (pair.read() - before !== count) throw new Error(`${name}: ${pair.read() - before} of ${count} texts arrived`);
      return round;
    },
  };
}

async function openOurs(windowSizeMax: number): Promise<Pair> {
  const log = createLog('silent');
  let count = 0;
  const account = {
    ...ACCOUNT, bindTypes: ['transceiver'] as const, bindsMax: 1, allowedAddresses: ['127.0.0.1'],
    handlers: {
      async submit_sm({ shortMessage, dataCoding }: { shortMessage: Buffer; dataCoding: number }) {
        if (decodeText(shortMessage, dataCoding) === TEXT) count++;
        return { messageId: count.toString(16) };
      },
    },
  }; // biome-ignore format: who it is, then what it does
  const listener = await openListener({
    host: '127.0.0.1',
    port: 0,
    systemId: 'SMSC',
    findAccount: () => account,
    clock: systemClock,
    log,
  });
  const link = await new Promise<Link>((resolve) => {
    const opened = openLink({
      host: '127.0.0.1', port: listener.port, ...ACCOUNT, windowSizeMax, clock: systemClock, log,
      onDeliver: async () => undefined,
      onStateChange: ({ state }) => state === 'bound' && resolve(opened),
    }); // biome-ignore format: where, then what happens
  });
  return {
    async submit() {
      const shortMessage = encodeGsm(TEXT);
      if (!shortMessage) throw new Error('the text has no octets');
      await link.submit({
        sourceAddr: FROM, sourceAddrTon: 5, destinationAddr: TO, destAddrTon: 1, destAddrNpi: 1, registeredDelivery: 1, shortMessage,
      }); // biome-ignore format: one message
    },
    read: () => count,
    async close() {
      await link.close();
      await listener.close();
    },
  };
}

/** The same with the package at both ends. It has no window of its own, so the lanes are its window. */
async function openTheirs(): Promise<Pair> {
  let count = 0;
  const server: Server = smpp.createServer((session) => {
    session.on('error', () => undefined);
    session.on('bind_transceiver', (pdu: TheirPdu) => session.send(pdu.response({ system_id: 'SMSC' })));
    session.on('submit_sm', (pdu: TheirPdu) => {
      if ((pdu.short_message as { message: string }).message === TEXT) count++;
      session.send(pdu.response({ message_id: count.toString(16) }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const session = smpp.connect({ host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 });
  session.on('error', () => undefined);
  await once(session, 'connect');
  session.socket.setNoDelay(true);
  const ask = (command: string, fields: Record<string, unknown>) =>
    new Promise<void>((resolve, reject) => {
      session.send(new smpp.PDU(command, fields), ({ command_status }) =>
        command_status === 0 ? resolve() : reject(new Error(`${command}: status ${command_status}`)),
      );
    });
  await ask('bind_transceiver', { system_id: ACCOUNT.systemId, password: ACCOUNT.password });
  return {
    submit: () =>
      ask('submit_sm', {
        source_addr: FROM, source_addr_ton: 5, destination_addr: TO, dest_addr_ton: 1, dest_addr_npi: 1, registered_delivery: 1, data_coding: 0, short_message: TEXT,
      }), // biome-ignore format: one message

    read: () => count,
    async close() {
      session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function open(): Promise<OpenBench> {
  const pairs: Pair[] = [];
  const keep = async (opened: Promise<Pair>): Promise<Pair> => {
    const pair = await opened;
    pairs.push(pair);
    return pair;
  };
  const comparisons: Comparison[] = [];
  for (const window of WINDOWS) {
    const ours = side('ours', await keep(openOurs(window)), window, window === 1 ? 40_000 : 150_000);
    const peer = side('smpp 0.5.1', await keep(openTheirs()), window, window === 1 ? 20_000 : 30_000);
    comparisons.push({ name: `window ${window}`, unit: 'submits/s', isMoreBetter: true, ours, peer });
  }
  return {
    comparisons,
    async close() {
      for (const pair of pairs) await pair.close();
    },
  };
}

export const bench: Bench = {
  name: 'smpp-loopback',
  what: 'submit_sm of 160 characters, written and read as text and answered, over one connection, beside the smpp package at both ends.',
  open,
};
