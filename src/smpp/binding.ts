import type { Log } from '../kernel/log.js';
import type { Connection } from './connection.js';
import { type BindName, type BindPdu, type GivenFields, type ResponseTo, responseName } from './pdu.js';
import type { Requests } from './requests.js';
import type { BindAnswer, BindType, CloseReason, SessionOptions } from './session-options.js';
import { STATUS } from './statuses.js';
import { tlv } from './tlvs.js';

const INTERFACE_VERSION = 0x34;
/** An ESME that speaks an older version gets no TLVs (SMPP 3.4 §5.2.4). */
const TLVS_SINCE = 0x34;

/** The step from an open session to a bound one: asked for as ESME, decided as SMSC. */
export interface Binding {
  /** As ESME. @throws SmppError; the connection is then closed. */
  ask(type: BindType, fields: GivenFields<BindName>): Promise<void>;
  /** As SMSC. It never throws. */
  take(pdu: BindPdu): Promise<void>;
  /** It is asked for, or being decided. */
  readonly isPending: boolean;
  /** The name of the status with which the SMSC refused ours. */
  readonly refusedWith: string | undefined;
}

export interface BindingOptions {
  readonly connection: Connection;
  readonly requests: Requests;
  readonly onBind: SessionOptions['onBind'];
  readonly log: Log;
  readonly isOpen: () => boolean;
  readonly onBound: (type: BindType) => void;
  /** As ESME we end at once what the SMSC did not want; as SMSC we end after the refusal was written. */
  readonly destroy: (reason: CloseReason) => void;
  readonly end: (reason: CloseReason) => void;
}

export function createBinding({ connection, requests, log, isOpen, onBound, ...options }: BindingOptions): Binding {
  let isPending = false;
  let refusedWith: string | undefined;

  async function decide(pdu: BindPdu): Promise<BindAnswer> {
    try {
      return (await options.onBind?.(pdu)) ?? { commandStatus: STATUS.ESME_RBINDFAIL };
    } catch (failure) {
      log.error({ failure: failure instanceof Error ? failure.name : typeof failure }, 'smpp bind handler failed');
      return { commandStatus: STATUS.ESME_RSYSERR };
    }
  }

  return {
    ask(type, fields) {
      isPending = true;
      return new Promise((resolve, reject) => {
        requests.send(`bind_${type}`, fields, {
          resolve() {
            isPending = false;
            onBound(type);
            resolve();
          },
          reject(failure) {
            isPending = false;
            refusedWith = failure.statusName;
            reject(failure);
            options.destroy(failure.code === 'SMPP.RESPONSE_TIMEOUT' ? 'bind-timeout' : 'bind-refused');
          },
        });
        connection.flush();
      });
    },
    async take(pdu) {
      isPending = true;
      const { commandStatus, systemId = '' } = await decide(pdu);
      isPending = false;
      // The peer has hung up meanwhile, or took too long to bind.
      if (!isOpen()) return;
      if (commandStatus !== STATUS.ESME_ROK) {
        connection.put(responseName(pdu.command), pdu.sequence, commandStatus, {});
        options.end('bind-refused');
        return;
      }
      if (pdu.interfaceVersion < TLVS_SINCE) connection.leaveOutTlvs();
      const accepted: GivenFields<ResponseTo<BindName>> = { systemId, tlvs: [tlv('sc_interface_version', INTERFACE_VERSION)] };
      connection.put(responseName(pdu.command), pdu.sequence, STATUS.ESME_ROK, accepted);
      onBound(pdu.command.slice('bind_'.length) as BindType);
    },
    get isPending() {
      return isPending;
    },
    get refusedWith() {
      return refusedWith;
    },
  };
}
