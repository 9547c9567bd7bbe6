import type { Clock } from '../../src/kernel/clock.js';
import { createLog } from '../../src/kernel/log.js';
import { type MessageFields, openListener, type PduOf, tlv } from '../../src/smpp/index.js';

export interface ScriptedSmsc {
  readonly port: number;
  /** Sends a deliver_sm, or the same as a data_sm, on a bind of this account; resolves once it was answered with status 0. */
  deliver(systemId: string, fields: MessageFields, as?: 'deliver_sm' | 'data_sm'): Promise<void>;
  bindsOf(systemId: string): number;
  close(): Promise<void>;
}

export interface ScriptedSmscOptions {
  clock: Clock;
  systemIds: readonly string[];
  /** Answers a submit_sm with its message id. */
  onSubmit: (pdu: PduOf<'submit_sm'>, systemId: string) => Promise<string>;
}

/** An SMSC of our own listener that does what a test tells it, on a port of its own. It takes the password of the sandbox. */
export async function openScriptedSmsc({ clock, systemIds, onSubmit }: ScriptedSmscOptions): Promise<ScriptedSmsc> {
  const account = (systemId: string) => ({
    systemId,
    password: 'sandbox',
    bindTypes: ['transceiver' as const],
    bindsMax: 8,
    allowedAddresses: ['127.0.0.1'],
    handlers: { submit_sm: async (pdu: PduOf<'submit_sm'>) => ({ messageId: await onSubmit(pdu, systemId) }) },
  });
  const accounts = new Map(systemIds.map((systemId) => [systemId, account(systemId)]));
  const listener = await openListener({
    host: '127.0.0.1',
    port: 0,
    systemId: 'scripted',
    findAccount: (systemId) => accounts.get(systemId),
    bounds: { windowSizeMax: 100, waitingMax: 100_000, inboundMax: 10_000, responseTimeoutMs: 600_000 },
    clock,
    log: createLog('silent'),
  });
  return {
    port: listener.port,
    async deliver(systemId, fields, as = 'deliver_sm') {
      if (as === 'deliver_sm') return listener.deliver(systemId, fields);
      const { sourceAddr = '', destinationAddr, esmClass = 0, dataCoding = 0, shortMessage, tlvs = [] } = fields;
      const payload = shortMessage ? [tlv('message_payload', shortMessage)] : [];
      await listener.deliverData(systemId, { sourceAddr, destinationAddr, esmClass, dataCoding, tlvs: [...tlvs, ...payload] });
    },
    bindsOf: (systemId) => listener.binds.filter((bind) => bind.systemId === systemId).length,
    close: () => listener.close(),
  };
}
