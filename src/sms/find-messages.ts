import type { Instant } from '../kernel/clock.js';
import { encodeCursor, type Page, type PageRequest } from '../kernel/page.js';
import type { MessageStore, Parameter } from '../store/index.js';
import type { SmsScope } from './create-sms.js';
import type { SmsState } from './message.js';
import { readManySms } from './read-many.js';
import type { WholeSms } from './read-sms.js';

/** Which messages; all of what is given must be so. */
export interface MessageFilter {
  /** E.164 with `+`. */
  recipient?: string | undefined;
  externalId?: string | undefined;
  /** `inApp`: queued, and offered to the app for now. */
  state?: SmsState | 'inApp' | undefined;
  /** Of the creation, domain time; `until` is not of it. */
  from?: Instant | undefined;
  until?: Instant | undefined;
}

/** Messages that one step looks at, and steps of one request: a filter that nothing passes must not hold up everybody else. */
const STRIDE = 5_000;
const STEPS_MAX = 20;

/**
 * Finds messages of a partner, newest first. A page may have fewer than were asked for and still have more after it, where the
 * filter let little through of what was looked at.
 */
export async function findMessages(
  store: MessageStore,
  scope: SmsScope,
  filter: MessageFilter,
  page: PageRequest,
): Promise<Page<WholeSms>> {
  const ids: string[] = [];
  let after = page.after;
  let isEnd = false;
  for (let step = 0; step < STEPS_MAX && ids.length <= page.limit && !isEnd; step++) {
    const stride = await look(store, scope, filter, after, page.limit + 1 - ids.length);
    ids.push(...stride.found);
    isEnd = stride.lastSeen === undefined;
    after = stride.lastSeen ?? after;
    if (!isEnd) await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const shown = ids.slice(0, page.limit);
  const whole = new Map((await readManySms(store, shown)).map((sms) => [sms.message.id, sms]));
  const items = shown.flatMap((id) => whole.get(id) ?? []);
  const next = ids.length > page.limit ? shown.at(-1) : isEnd ? undefined : after;
  return { items, hasMore: next !== undefined, nextCursor: next === undefined ? null : encodeCursor(next) };
}

/** One step: what of it passes, and the last message looked at, undefined at the end. */
async function look(
  store: MessageStore,
  { partnerId, markets }: SmsScope,
  { recipient, externalId, state, from, until }: MessageFilter,
  after: string | undefined,
  limit: number,
): Promise<{ found: string[]; lastSeen: string | undefined }> {
  const parameters: Parameter[] = [partnerId];
  const given = (value: Parameter) => `$${parameters.push(value)}`;
  // What is looked up by an index of its own is few; the rest is walked through by id.
  const where = [
    'partner_id = $1',
    ...(recipient === undefined ? [] : [`recipient = ${given(recipient)}`]),
    ...(externalId === undefined ? [] : [`external_id = ${given(externalId)}`]),
    ...(after === undefined ? [] : [`id < ${given(after)}`]),
  ].join(' AND ');
  const [last] = await store.read<{ id: string }>(
    `SELECT id FROM sms_message WHERE ${where} ORDER BY id DESC LIMIT 1 OFFSET ${STRIDE - 1}`,
    parameters,
  );
  const wanted = [
    ...(last === undefined ? [] : [`id >= ${given(last.id)}`]),
    ...(state === undefined ? [] : [stateIs(state, given)]),
    ...(from === undefined ? [] : [`created_at >= ${given(from)}`]),
    ...(until === undefined ? [] : [`created_at < ${given(until)}`]),
    ...(markets === undefined ? [] : [`market IN (${markets.map(given).join(', ') || 'NULL'})`]),
  ];
  const rows = await store.read<{ id: string }>(
    `SELECT id FROM sms_message WHERE ${[where, ...wanted].join(' AND ')} ORDER BY id DESC LIMIT ${given(limit)}`,
    parameters,
  );
  const found = rows.map(({ id }) => id);
  return { found, lastSeen: found.length === limit ? found.at(-1) : last?.id };
}

function stateIs(state: SmsState | 'inApp', given: (value: Parameter) => string): string {
  if (state === 'inApp') return `state = 'queued' AND waits_for = 'in-app'`;
  return state === 'queued' ? `state = 'queued' AND COALESCE(waits_for, '') <> 'in-app'` : `state = ${given(state)}`;
}
