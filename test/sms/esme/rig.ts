import { fileURLToPath } from 'node:url';
import { loadPartners, type Partner } from '../../../src/partners/index.js';
import type { MessageFields, Pdu, PduOf } from '../../../src/smpp/index.js';
import type { DataName, ResponseTo } from '../../../src/smpp/pdu.js';
import { statusName } from '../../../src/smpp/statuses.js';
import { connectPeer, type Peer } from '../../smpp/peer.js';
import { openSmsRig, type RigOptions, type SmsRig } from '../rig.js';

export const ACCOUNT = 'eplus-app';
export const SENDER = '9995790000001';
export const HER = '999571234567';

/** An operator's ESME, driven by hand over a real socket. */
export interface Esme extends Peer {
  /** Sends a request and waits for its answer. */
  ask<C extends DataName>(command: C, fields: Record<string, unknown>): Promise<PduOf<ResponseTo<C>>>;
  /** The name of the status that answers a submit_sm, and the message id. */
  submit(fields?: Partial<MessageFields>): Promise<{ status: string; messageId: string }>;
  /** The next deliver_sm, answered with this status. */
  take(commandStatus?: number): Promise<PduOf<'deliver_sm'>>;
}

export interface EsmeRig {
  readonly sms: SmsRig;
  /** A bound ESME. @throws the name of the status that refused it. */
  bind(as?: 'transceiver' | 'transmitter' | 'receiver', fields?: Record<string, unknown>): Promise<Esme>;
  /** What handsets have got, by their SMSC. */
  onHandsets(): { to: string; from: string; text: string }[];
  rows<R extends Record<string, string | number | null>>(sql: string): Promise<R[]>;
  /** Cuts every ESME off, and opens bridge and listener again on the same files. */
  restart(): Promise<void>;
  /** The same as after `kill -9`: nothing of the bridge before is waited for. */
  abandon(): Promise<void>;
  close(): Promise<void>;
}

export interface EsmeRigOptions extends RigOptions {
  /** Accounts like the one that is shipped, but for this. */
  accounts?: readonly Partial<Partner['smpp']['listeners'][number]>[] | undefined;
}

/** The bridge with its ESMEs' listener open. */
export async function openEsmeRig({ accounts, ...options }: EsmeRigOptions = {}): Promise<EsmeRig> {
  const sms = await openSmsRig({ ...options, ...(accounts?.length && { listeners: await accountsLike(accounts) }) });
  // Time goes in leaps here, and nobody could answer in between.
  const listen = () => sms.sms.esmes.listen({ host: '127.0.0.1', port: 0, bounds: { enquireLinkMs: 0 } });
  let { port } = await listen();
  const peers: Peer[] = [];
  const cutOff = () => {
    for (const peer of peers.splice(0)) peer.destroy();
  };
  return {
    sms,
    async bind(as = 'transceiver', fields = {}) {
      const peer = await connectPeer(port);
      peers.push(peer);
      peer.send({ command: `bind_${as}`, sequence: 1, systemId: ACCOUNT, password: 'sandbox', interfaceVersion: 0x34, ...fields });
      const bound = await peer.next(`bind_${as}_resp`);
      if (bound.commandStatus !== 0) throw new Error(statusName(bound.commandStatus));
      return esmeOver(peer);
    },
    onHandsets: () =>
      sms.smsc
        .received({ limit: 1_000 })
        .map(({ to, from, text }) => ({ to, from, text: String(text) }))
        .reverse(),
    rows: (sql) => sms.store.messages.read(sql),
    async restart() {
      cutOff();
      await sms.restart();
      ({ port } = await listen());
    },
    async abandon() {
      cutOff();
      await sms.abandon();
      ({ port } = await listen());
    },
    async close() {
      cutOff();
      await sms.close();
    },
  };
}

async function accountsLike(accounts: readonly object[]): Promise<Partner['smpp']['listeners']> {
  const registry = await loadPartners(fileURLToPath(new URL('../../../partners', import.meta.url)), {});
  const [shipped] = registry.get('e-plus')?.smpp.listeners ?? [];
  if (!shipped) throw new Error('e-plus has an account for ESMEs');
  return accounts.map((account) => ({ ...shipped, ...account }));
}

function esmeOver(peer: Peer): Esme {
  let sequence = 1;
  const waiting = new Map<number, (answer: unknown) => void>();
  function ask<C extends DataName>(command: C, fields: Record<string, unknown>): Promise<PduOf<ResponseTo<C>>> {
    const own = ++sequence;
    peer.send({ command, sequence: own, ...fields } as never);
    return new Promise((resolve, reject) => {
      waiting.set(own, (answer) => resolve(answer as PduOf<ResponseTo<C>>));
      // Answers come in any order: each goes to whoever asked.
      (peer.next(`${command}_resp` as ResponseTo<C>) as Promise<Pdu>).then((answer) => waiting.get(answer.sequence)?.(answer), reject);
    });
  }
  return {
    ...peer,
    ask,
    async submit(fields = {}) {
      const { commandStatus, messageId } = await ask('submit_sm', {
        ...{ sourceAddr: SENDER, sourceAddrTon: 1, sourceAddrNpi: 1, destinationAddr: HER, destAddrTon: 1, destAddrNpi: 1 },
        shortMessage: Buffer.from('Hallo'),
        ...fields,
      });
      return { status: statusName(commandStatus), messageId };
    },
    async take(commandStatus = 0) {
      const pdu = await peer.next('deliver_sm');
      peer.send({ command: 'deliver_sm_resp', sequence: pdu.sequence, commandStatus });
      return pdu;
    },
  };
}
