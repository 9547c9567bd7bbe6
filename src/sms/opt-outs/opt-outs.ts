import type { NewEvent } from '../../events/index.js';
import { notFound } from '../../kernel/errors.js';
import { newId } from '../../kernel/ids.js';
import { type Page, type PageRequest, pageOf } from '../../kernel/page.js';
import type { Parameter } from '../../store/index.js';
import type { SmsContext } from '../context.js';
import type { SmsScope } from '../create-sms.js';
import type { SmsClass } from '../message.js';
import { endOptOut, putOptOut } from './operations.js';
import { classesText, EVERY_GROUP, type OptOut, optOutOf, showOptOut, stoppedClasses } from './opt-out.js';

export type ShownOptOut = ReturnType<typeof showOptOut>;

export interface NewOptOut {
  partnerId: string;
  market: string;
  /** E.164 with `+`. */
  msisdn: string;
  /** Of senders; all of the partner's when left out. */
  group?: string | undefined;
  /** What a stop word stops in that market when left out. */
  classes?: readonly SmsClass[] | undefined;
  source: OptOut['source'];
  correlator?: string | undefined;
}

/** Who wants no more SMS. On the hot path it is read for many numbers at once, from the database: no node has an older word. */
export interface OptOuts {
  /**
   * Records one; the same again changes nothing.
   *
   * @param mayReplace given the one of the same number and group that says something else; refuses by throwing.
   */
  put(optOut: NewOptOut, mayReplace?: (current: ShownOptOut) => void): Promise<{ created: boolean; changed: boolean; optOut: ShownOptOut }>;
  /** @throws GatewayError `NOT_FOUND`. */
  get(scope: SmsScope, id: string): Promise<ShownOptOut>;
  /** Newest first. */
  list(scope: SmsScope, page: PageRequest): Promise<Page<ShownOptOut>>;
  /** Those of one number, newest first. */
  ofNumber(scope: SmsScope, msisdn: string): Promise<ShownOptOut[]>;
  /**
   * @param mayRemove given the opt-out as it is; refuses by throwing.
   * @throws GatewayError `NOT_FOUND`.
   */
  remove(scope: SmsScope, id: string, mayRemove: (current: ShownOptOut) => void, correlator?: string): Promise<void>;
  /** A start word: what a stop word or the API recorded for the group, or for all, ends. Answers whether there was any. */
  removeFor(partnerId: string, msisdn: string, group: string): Promise<boolean>;
  /** The opt-outs of these numbers, by number. */
  among(partnerId: string, msisdns: readonly string[]): Promise<ReadonlyMap<string, OptOut[]>>;
}

/** A number has at most one opt-out for each group, and there are few groups. */
const OF_A_NUMBER_MAX = 200;

export function createOptOuts({
  store,
  clock,
  domainClock,
  wakeOutbox,
}: Pick<SmsContext, 'store' | 'clock' | 'domainClock' | 'wakeOutbox'>): OptOuts {
  const event = (optOut: OptOut, type: string, summary: string, correlator: string | undefined): NewEvent => ({
    id: newId('evt', clock.now()),
    partnerId: optOut.partnerId,
    market: optOut.market,
    type,
    subject: optOut.id,
    at: domainClock.now(optOut.partnerId),
    resource: showOptOut(optOut),
    ...(correlator !== undefined && { correlator }),
    summary,
    facts: [{ name: 'source', value: optOut.source }],
  });

  async function find({ partnerId, markets }: SmsScope, id: string): Promise<OptOut> {
    const [row] = await store.read('SELECT * FROM sms_opt_out WHERE id = $1 AND partner_id = $2', [id, partnerId]);
    const optOut = row && optOutOf(row);
    if (!optOut || (markets !== undefined && !markets.includes(optOut.market))) throw notFound('opt-out');
    return optOut;
  }

  async function end(optOut: OptOut, correlator?: string): Promise<boolean> {
    const wallNow = clock.now();
    const told = event(optOut, 'opt-out.removed', 'A subscriber gets SMS again', correlator);
    const item = { id: optOut.id, changeId: newId('req', wallNow), eventId: told.id, event: JSON.stringify(told), wallNow };
    const ended = await store.run(endOptOut, item);
    if (ended) wakeOutbox();
    return ended;
  }

  async function among(partnerId: string, msisdns: readonly string[]): Promise<ReadonlyMap<string, OptOut[]>> {
    const found = new Map<string, OptOut[]>();
    const places = msisdns.map((_, index) => `$${index + 2}`).join(', ');
    const rows = await store.read(`SELECT * FROM sms_opt_out WHERE partner_id = $1 AND msisdn IN (${places || 'NULL'})`, [
      partnerId,
      ...msisdns,
    ]);
    for (const optOut of rows.map(optOutOf)) found.set(optOut.msisdn, [...(found.get(optOut.msisdn) ?? []), optOut]);
    return found;
  }

  return {
    async put({ partnerId, market, msisdn, group = EVERY_GROUP, classes, source, correlator }, mayReplace) {
      const wallNow = clock.now();
      const at = domainClock.now(partnerId);
      const known = (await among(partnerId, [msisdn])).get(msisdn)?.find((each) => each.group === group);
      const optOut: OptOut = {
        ...{ id: known?.id ?? newId('opt', wallNow), partnerId, market, msisdn, group, source },
        classes: classes ?? stoppedClasses(market),
        ...{ createdAt: known?.createdAt ?? at, updatedAt: at },
      };
      if (known && classesText(known.classes) === classesText(optOut.classes))
        return { created: false, changed: false, optOut: showOptOut(known) };
      if (known) mayReplace?.(showOptOut(known));
      const told = event(optOut, known ? 'opt-out.changed' : 'opt-out.created', 'A subscriber wants no more SMS', correlator);
      const { row, changed } = await store.run(putOptOut, {
        ...{ id: optOut.id, partnerId, market, msisdn, group, source, at, wallNow },
        classes: classesText(optOut.classes),
        changeId: newId('req', wallNow),
        ...{ eventId: told.id, event: JSON.stringify(told) },
      });
      if (changed) wakeOutbox();
      return { created: changed && !known, changed, optOut: showOptOut(row ? optOutOf(row) : optOut) };
    },

    get: async (scope, id) => showOptOut(await find(scope, id)),

    async list({ partnerId, markets }, { after, limit }) {
      const parameters: Parameter[] = [partnerId, limit + 1];
      const given = (value: Parameter) => `$${parameters.push(value)}`;
      const rows = await store.read(
        `SELECT * FROM sms_opt_out WHERE partner_id = $1 ${after === undefined ? '' : `AND id < ${given(after)}`}
         ${markets === undefined ? '' : `AND market IN (${markets.map(given).join(', ') || 'NULL'})`} ORDER BY id DESC LIMIT $2`,
        parameters,
      );
      return pageOf(rows.map(optOutOf), limit, ({ id }) => id, showOptOut);
    },

    async ofNumber({ partnerId, markets }, msisdn) {
      const all = (await among(partnerId, [msisdn])).get(msisdn) ?? [];
      const visible = all.filter(({ market }) => markets === undefined || markets.includes(market));
      return visible
        .sort((a, b) => (a.id < b.id ? 1 : -1))
        .slice(0, OF_A_NUMBER_MAX)
        .map(showOptOut);
    },

    async remove(scope, id, mayRemove, correlator) {
      const optOut = await find(scope, id);
      mayRemove(showOptOut(optOut));
      if (!(await end(optOut, correlator))) throw notFound('opt-out');
    },

    async removeFor(partnerId, msisdn, group) {
      const all = (await among(partnerId, [msisdn])).get(msisdn) ?? [];
      const ended = await Promise.all(all.filter((each) => each.group === group || each.group === EVERY_GROUP).map((each) => end(each)));
      return ended.some((each) => each);
    },

    among,
  };
}
