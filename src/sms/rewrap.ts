import type { KeyRing } from '../kernel/key-wrap.js';
import { defineOperation, type MessageStore, settleNothing } from '../store/index.js';
import { int, str } from './batch-sql.js';
import { deliveryPurpose } from './esme/messages.js';
import { partPurpose as esmePartPurpose } from './esme/parts.js';
import { secretPurpose } from './inbound/hash-key.js';
import { INBOUND_PURPOSE, partPurpose } from './inbound/purposes.js';
import { textPurpose } from './outbound/queue.js';

/** Rows that are read at a time. */
const ROWS = 200;

type Change = { id: string; number: number; before: string; after: string };

/** The tables with a "wrapped" column: what names a row, and what its text is wrapped for. */
const PLACES = [
  { table: 'sms_secret', id: 'name', number: '0', purpose: (id: string, _number: number) => secretPurpose(id) },
  { table: 'sms_inbound', id: 'id', number: '0', purpose: (id: string, _number: number) => `${INBOUND_PURPOSE}:${id}` },
  { table: 'sms_message', id: 'id', number: '0', purpose: (id: string, _number: number) => textPurpose(id) },
  { table: 'sms_esme_submit', id: 'message_id', number: 'place', purpose: (id: string, _number: number) => esmePartPurpose(id) },
  { table: 'sms_esme_delivery', id: 'cause', number: '0', purpose: (id: string, _number: number) => deliveryPurpose(id) },
  { table: 'sms_inbound_part', id: 'group_key', number: 'number', purpose: partPurpose },
].map((place) => ({
  ...place,
  operation: defineOperation<Change, undefined>({
    name: `sms.rewrap.${place.table}`,
    statements: [
      `UPDATE ${place.table} AS t SET wrapped = ${str('after')} FROM :batch
       WHERE t.${place.id} = ${str('id')} AND ${place.number === '0' ? '0' : `t.${place.number}`} = ${int('number')} AND t.wrapped = ${str('before')}`,
    ],
    settle: settleNothing,
  }),
}));

/** Wraps what the bridge keeps under the ring's current key. @returns how many there were to do. */
export async function rewrapSms(store: MessageStore, ring: KeyRing): Promise<number> {
  let done = 0;
  for (const { table, id, number, purpose, operation } of PLACES) {
    for (;;) {
      const rows = await store.read<{ id: string; number: number; wrapped: string }>(
        `SELECT ${id} AS id, ${number} AS number, wrapped FROM ${table} WHERE wrapped IS NOT NULL AND wrapped NOT LIKE $1 LIMIT ${ROWS}`,
        [`${ring.prefix()}%`],
      );
      if (rows.length === 0) break;
      const changes = rows.map((row) => {
        const after = ring.rewrap(row.wrapped, purpose(row.id, Number(row.number))) ?? row.wrapped;
        return { id: row.id, number: Number(row.number), before: row.wrapped, after };
      });
      await Promise.all(changes.map((change) => store.run(operation, change)));
      done += rows.length;
    }
  }
  return done;
}
