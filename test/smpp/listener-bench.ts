import { afterEach, beforeEach } from 'vitest';
import { createLog } from '../../src/kernel/log.js';
import { type Listener, type ListenerOptions, openListener } from '../../src/smpp/listener.js';
import type { ListenerAccount } from '../../src/smpp/listener-account.js';
import type { GivenFields } from '../../src/smpp/pdu.js';
import { statusName } from '../../src/smpp/statuses.js';
import { createFakeClock, type FakeClock } from '../fakes/clock.js';
import { connectPeer, type Peer, turns } from './peer.js';

/** A message's only field without which it is none. */
export const TO = { destinationAddr: '999570000001' };

/** A listener under test and the ESMEs that bind with it, over real sockets. */
export interface ListenerBench {
  readonly clock: FakeClock;
  /** submit_sm that reached the account's handler. */
  readonly accepted: number;
  listen(account?: Partial<ListenerAccount>, options?: Partial<ListenerOptions>): Promise<Listener>;
  /** Connects and nothing more. */
  dial(listener: Listener): Promise<Peer>;
  /** Connects and asks for a bind, whose answer is not taken yet. */
  bind(listener: Listener, fields?: GivenFields<'bind_transceiver'>): Promise<Peer>;
  /** The same, and waits until it is bound. */
  bound(listener: Listener): Promise<Peer>;
  /** Moves the clock until `work` is done. */
  drive(work: Promise<unknown>): Promise<void>;
}

/** To be called once in a test file: a fresh bench for each of its tests. */
export function useListeners(): ListenerBench {
  let accepted = 0;
  let clock = createFakeClock();
  const open: Listener[] = [];
  const peers: Peer[] = [];
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

  beforeEach(() => {
    accepted = 0;
    clock = createFakeClock();
  });
  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.destroy();
    await turns();
    await bench.drive(Promise.all(open.splice(0).map((listener) => listener.close())));
  });

  const bench: ListenerBench = {
    get clock() {
      return clock;
    },
    get accepted() {
      return accepted;
    },
    async listen(account = {}, options = {}) {
      const mine = { ...ACCOUNT, ...account };
      const findAccount = (systemId: string) => (systemId === mine.systemId ? mine : undefined);
      const log = createLog('silent');
      const listener = await openListener({ host: '127.0.0.1', port: 0, systemId: 'causeway', findAccount, clock, log, ...options });
      open.push(listener);
      return listener;
    },
    async dial({ port }) {
      const peer = await connectPeer(port);
      peers.push(peer);
      return peer;
    },
    async bind(listener, fields = {}) {
      const peer = await bench.dial(listener);
      peer.send({
        command: 'bind_transceiver',
        sequence: 1,
        systemId: 'eplus-app',
        password: 'sandbox',
        interfaceVersion: 0x34,
        ...fields,
      });
      return peer;
    },
    async bound(listener) {
      const peer = await bench.bind(listener);
      await peer.next('bind_transceiver_resp');
      return peer;
    },
    async drive(work) {
      let isDone = false;
      const done = work.finally(() => {
        isDone = true;
      });
      while (!isDone) await clock.advance(100);
      await done;
    },
  };
  return bench;
}

export const bindStatus = async (peer: Peer): Promise<string> => statusName((await peer.next('bind_transceiver_resp')).commandStatus);
