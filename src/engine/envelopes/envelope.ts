import { toRfc3339 } from '../../kernel/clock.js';
import type { DeviceIdentity } from '../hooks.js';

export type EnvelopeKind = 'message' | 'status' | 'sms-reply' | 'partner-notice';

/** One item of a device's queue, as the wire shows it. */
export interface Envelope {
  /** `msg_…`; of a message, the id that its sender was told. */
  envelopeId: string;
  /** Counts up in the queue. */
  seq: number;
  kind: EnvelopeKind;
  /** Only of a message. */
  from?: DeviceIdentity;
  clientMsgId?: string;
  ref?: string;
  suite: string;
  body: string;
  /** RFC 3339. */
  sentAt: string;
}

export interface EnvelopeRow {
  [column: string]: string | number | null;
  id: string;
  seq: number;
  kind: string;
  sender_account_id: string | null;
  sender_device_id: string | null;
  client_msg_id: string | null;
  ref: string | null;
  suite: string;
  body: string;
  sent_at: number;
}

export function envelopeOf(row: EnvelopeRow): Envelope {
  const { sender_account_id: accountId, sender_device_id: deviceId, client_msg_id: clientMsgId, ref } = row;
  return {
    envelopeId: row.id,
    seq: Number(row.seq),
    kind: row.kind as EnvelopeKind,
    ...(accountId !== null && deviceId !== null ? { from: { accountId, deviceId } } : {}),
    ...(clientMsgId === null ? {} : { clientMsgId }),
    ...(ref === null ? {} : { ref }),
    suite: row.suite,
    body: row.body,
    sentAt: toRfc3339(Number(row.sent_at)),
  };
}
