import type { Row } from '../../store/index.js';
import type { SmsContext } from '../context.js';
import type { SmsState } from '../message.js';
import type { KeptWish } from './read-wish.js';
import type { Address } from './receipt.js';

/** What an account submitted: one message id at one destination. */
export interface FoundSubmit {
  readonly messageId: string;
  readonly place: number;
  readonly systemId: string;
  readonly partnerId: string;
  readonly smsId: string | undefined;
  readonly serviceType: string;
  readonly source: Address;
  readonly destination: Address;
  readonly registeredDelivery: number;
  readonly wish: KeptWish;
  /** Of the parts that wait with it. */
  readonly groupKey: string | undefined;
  readonly acceptedAt: number;
  readonly state: SmsState;
  readonly reason: string | undefined;
  /** When it came to its last state. */
  readonly finalAt: number | undefined;
}

/** How a message that became no SMS ended, in the words of one that did. */
const ENDED: Readonly<Record<string, SmsState>> = { incomplete: 'undelivered', refused: 'rejected', cancelled: 'cancelled' };

/** An SMS is there before its ESME hears of it: a row without one is a part that waits. */
const COLUMNS = `s.*, m.state AS sms_state, m.reason AS sms_reason, m.final_at AS sms_final_at`;
const FROM = 'FROM sms_esme_submit s LEFT JOIN sms_message m ON m.id = s.sms_id';

const text = (value: Row[string] | undefined): string | undefined => (value === null || value === undefined ? undefined : String(value));
const instant = (value: Row[string] | undefined): number | undefined => (value === null || value === undefined ? undefined : Number(value));

function submitOf(row: Row): FoundSubmit {
  const ended = text(row['ended']);
  return {
    messageId: String(row['message_id']),
    place: Number(row['place']),
    systemId: String(row['system_id']),
    partnerId: String(row['partner_id']),
    smsId: text(row['sms_id']),
    serviceType: String(row['service_type']),
    source: { ton: Number(row['source_ton']), npi: Number(row['source_npi']), address: String(row['source']) },
    destination: { ton: Number(row['destination_ton']), npi: Number(row['destination_npi']), address: String(row['destination']) },
    registeredDelivery: Number(row['registered_delivery']),
    wish: JSON.parse(String(row['wish'])) as KeptWish,
    groupKey: text(row['group_key']),
    acceptedAt: Number(row['accepted_at']),
    state: ended === undefined ? ((text(row['sms_state']) ?? 'queued') as SmsState) : (ENDED[ended] ?? 'undelivered'),
    reason: text(row['sms_reason']),
    finalAt: instant(row['sms_final_at']) ?? instant(row['ended_at']),
  };
}

type Store = Pick<SmsContext, 'store'>['store'];

/** Those of one account under a message id, by place. */
export async function submitsOf(store: Store, systemId: string, messageId: string): Promise<FoundSubmit[]> {
  const rows = await store.read(`SELECT ${COLUMNS} ${FROM} WHERE s.message_id = $1 AND s.system_id = $2 ORDER BY s.place`, [
    messageId,
    systemId,
  ]);
  return rows.map(submitOf);
}

/** Those that one SMS was made of, or was made for. */
export async function submitsOfSms(store: Store, smsId: string): Promise<FoundSubmit[]> {
  return (await store.read(`SELECT ${COLUMNS} ${FROM} WHERE s.sms_id = $1 ORDER BY s.message_id`, [smsId])).map(submitOf);
}

/** Those of which their ESME has yet to hear how they ended. */
export async function untoldSubmits(store: Store, limit: number): Promise<FoundSubmit[]> {
  return (await store.read(`SELECT ${COLUMNS} ${FROM} WHERE s.untold = 1 ORDER BY s.message_id LIMIT ${limit}`)).map(submitOf);
}

/** What an account has on its way between two addresses, the latest first: it waits to go out, or for its other parts. */
export async function pendingSubmits(
  store: Store,
  systemId: string,
  { source, destination, serviceType }: { source: string; destination: string; serviceType: string },
): Promise<FoundSubmit[]> {
  const rows = await store.read(
    `SELECT ${COLUMNS} ${FROM} WHERE s.system_id = $1 AND s.source = $2 AND s.destination = $3 AND s.service_type = $4
       AND s.ended IS NULL AND (m.state = 'queued' OR (s.sms_id IS NULL AND s.group_key IS NOT NULL))
     ORDER BY s.message_id DESC LIMIT 200`,
    [systemId, source, destination, serviceType],
  );
  return rows.map(submitOf);
}
