import { comparable } from '../addresses.js';
import type { SmsContext } from '../context.js';
import { FINAL_STATES } from '../message.js';
import type { EsmeAccount } from './account.js';
import { type FoundSubmit, pendingSubmits, submitsOf, submitsOfSms } from './find-submits.js';
import { readMessageId } from './message-id.js';
import type { EsmeSends } from './ports.js';
import { readDestination, readSource } from './read-addresses.js';
import { joinContent, readContent } from './read-content.js';
import { checkRegistered, readSendAt, readValidUntil, refuse } from './read-wish.js';
import { networkErrorOf, toldState } from './receipt.js';
import { absoluteTime } from './smpp-time.js';
import { changeSubmit, endParts } from './submit-operations.js';

export interface QueryAnswer {
  readonly messageId: string;
  readonly finalDate: string;
  readonly messageState: number;
  readonly errorCode: number;
}

export interface CancelRequest {
  readonly messageId: string;
  readonly serviceType: string;
  readonly source: string;
  readonly destination: string;
}

export interface ReplaceRequest {
  readonly messageId: string;
  readonly source: string;
  readonly scheduleDeliveryTime: string;
  readonly validityPeriod: string;
  readonly registeredDelivery: number;
  readonly smDefaultMsgId: number;
  readonly shortMessage: Buffer;
}

/** What an ESME may ask about, and do to, what it has submitted itself. Everybody else's looks like nobody's. */
export interface Commands {
  /** @throws RefusedWith `ESME_RQUERYFAIL`, `ESME_RINVMSGID`. */
  query(account: EsmeAccount, request: { messageId: string; source: string }): Promise<QueryAnswer>;
  /** @throws RefusedWith `ESME_RCANCELFAIL` when there is nothing of it that has not gone out. */
  cancel(account: EsmeAccount, request: CancelRequest): Promise<void>;
  /** @throws RefusedWith `ESME_RREPLACEFAIL` when it has gone out, or the field that is wrong. */
  replace(account: EsmeAccount, request: ReplaceRequest): Promise<void>;
}

export function createCommands(context: Pick<SmsContext, 'store' | 'domainClock'>, sends: EsmeSends): Commands {
  const { store, domainClock } = context;

  /** The source must be the one that it was submitted with (SMPP 3.4 §4.8.1). */
  async function named({ config }: EsmeAccount, text: string, source: string): Promise<FoundSubmit[]> {
    const id = readMessageId(text, config.messageIds.response);
    if (id === undefined) throw refuse('ESME_RINVMSGID');
    const found = await submitsOf(store, config.systemId, id);
    return found.filter((submit) => comparable(submit.source.address) === comparable(source));
  }

  async function cancelOne(account: EsmeAccount, submit: FoundSubmit): Promise<boolean> {
    const partnerId = account.partner.id;
    if (submit.smsId !== undefined) return sends.cancel(submit.smsId);
    if (submit.groupKey === undefined || FINAL_STATES.includes(submit.state)) return false;
    const endedAt = domainClock.now(partnerId);
    return (await store.run(endParts, { groupKey: submit.groupKey, ended: 'cancelled', endedAt })) > 0;
  }

  return {
    async query(account, { messageId, source }) {
      const found = await named(account, messageId, source);
      const [worst] = [...found].sort((a, b) => rank(a) - rank(b));
      if (!worst) throw refuse('ESME_RQUERYFAIL');
      const error = networkErrorOf(worst);
      const isFinal = FINAL_STATES.includes(worst.state);
      return {
        messageId,
        finalDate: isFinal && worst.finalAt !== undefined ? absoluteTime(worst.finalAt) : '',
        messageState: toldState(worst.state).number,
        // The field has one octet (§5.2.31 of receipts has two): what does not fit is only in the receipt.
        errorCode: error === undefined || error > 0xff ? 0 : error,
      };
    },

    async cancel(account, { messageId, serviceType, source, destination }) {
      const found =
        messageId === ''
          ? await pendingSubmits(store, account.config.systemId, { source, destination, serviceType })
          : (await named(account, messageId, source)).filter(
              (submit) => destination === '' || comparable(submit.destination.address) === comparable(destination),
            );
      const outcomes: boolean[] = [];
      for (const submit of found) outcomes.push(await cancelOne(account, submit));
      // Of a group it is enough that one was there; what was named must not have gone out.
      const isDone = messageId === '' ? outcomes.includes(true) : outcomes.length > 0 && !outcomes.includes(false);
      if (!isDone) throw refuse('ESME_RCANCELFAIL');
    },

    async replace(account, request) {
      const [submit, ...others] = await named(account, request.messageId, request.source);
      if (submit?.smsId === undefined || submit.state !== 'queued' || others.length > 0) throw refuse('ESME_RREPLACEFAIL');
      // The text of several submits is not replaced by one of them.
      if ((await submitsOfSms(store, submit.smsId)).length > 1) throw refuse('ESME_RREPLACEFAIL');
      checkRegistered(request.registeredDelivery);
      if (request.smDefaultMsgId !== 0) throw refuse('ESME_RINVDFTMSGID');
      const now = domainClock.now(account.partner.id);
      // What is left empty stays as it was (§4.10.1).
      const sendAt = request.scheduleDeliveryTime === '' ? submit.wish.sendAt : readSendAt(request.scheduleDeliveryTime, now);
      const validUntil = request.validityPeriod === '' ? submit.wish.validUntil : readValidUntil(request, now, sendAt ?? now);
      const { dataCodingDefault } = account.config;
      const pdu = { esmClass: 0, dataCoding: submit.wish.dataCoding, shortMessage: request.shortMessage, tlvs: [] };
      const wish = { ...submit.wish, registeredDelivery: request.registeredDelivery, sendAt, validUntil };
      const isReplaced = await sends.replace({
        id: submit.smsId,
        account,
        messageId: submit.messageId,
        recipient: readDestination(submit.destination),
        sender: readSource(account, submit.source),
        content: joinContent([readContent(pdu, dataCodingDefault)], dataCodingDefault),
        wish,
      });
      if (!isReplaced) throw refuse('ESME_RREPLACEFAIL');
      await store.run(changeSubmit, {
        messageId: submit.messageId,
        registeredDelivery: wish.registeredDelivery,
        wish: JSON.stringify(wish),
      });
    },
  };
}

/** Of several destinations the one that is furthest behind speaks for all; then one that has failed. */
const rank = ({ state }: FoundSubmit): number => (!FINAL_STATES.includes(state) ? 0 : state === 'delivered' ? 2 : 1);
