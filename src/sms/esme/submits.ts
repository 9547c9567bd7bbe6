import { isGatewayError } from '../../kernel/errors.js';
import { newId } from '../../kernel/ids.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { Sender } from '../../partners/index.js';
import { type ConcatInfo, type MessagePdu, RefusedWith, reassemblyKey, STATUS } from '../../smpp/index.js';
import type { SmsContext } from '../context.js';
import type { EsmeAccount } from './account.js';
import { pendingSubmits } from './find-submits.js';
import { newMessageId } from './message-id.js';
import { keyedHash, unwrapPart, wrapPart } from './parts.js';
import type { EsmeSends, EsmeSms } from './ports.js';
import { readDestination, readSource } from './read-addresses.js';
import { joinContent, type ReadContent, readContent } from './read-content.js';
import { type KeptWish, readWish, type Wish, type WishFields } from './read-wish.js';
import type { Address } from './receipt.js';
import { refusalOf, statusOf } from './refusal.js';
import { changeSubmit, claimGroup, endGroup, insertPart, insertSubmits, type NewSubmit } from './submit-operations.js';

/** A submit_sm, submit_multi or data_sm, in one form. */
export interface Submit {
  readonly pdu: MessagePdu & WishFields;
  readonly source: Address;
  readonly destinations: readonly Address[];
}

export interface SubmitResult {
  readonly messageId: string;
  /** Of each destination, in order: 0, or why it was refused. */
  readonly statuses: readonly number[];
}

export interface Submits {
  /**
   * Takes a message, or a part of one. Resolves once what was not refused is durable.
   *
   * @throws RefusedWith when nothing of it was taken.
   */
  take(account: EsmeAccount, submit: Submit): Promise<SubmitResult>;
  /** Sends what was whole right before a crash, and what has become whole at two nodes in one moment. */
  recover(): Promise<void>;
}

export interface SubmitsOptions {
  context: Pick<SmsContext, 'store' | 'clock' | 'domainClock' | 'log' | 'serial'>;
  keyWrap: KeyWrap;
  hashKey: Uint8Array;
  sends: EsmeSends;
  findAccount: (systemId: string) => EsmeAccount | undefined;
}

/** Parts come within seconds; under a reference that was used longer ago they are another message's. */
export const PARTS_WAIT_MS = 600_000;
/** A message of more could not be sent as one. */
const PARTS_MAX = 10;
/** A group that was claimed longer ago than this is nobody's any more: whoever claimed it has ended or failed. */
const CLAIM_MS = 10_000;
const RECOVER_ROWS = 200;
/** Message ids that are in use already, one after the other: then it is no accident. */
const TRIES_MAX = 5;

/** A part as it waits. A type, not an interface, so that it is a row of the store. */
type PartRow = {
  message_id: string;
  system_id: string;
  source: string;
  destination: string;
  destination_ton: number;
  destination_npi: number;
  source_ton: number;
  source_npi: number;
  number: number;
  total: number;
  wish: string;
  wrapped: string;
};

export function createSubmits({ context, keyWrap, hashKey, sends, findAccount }: SubmitsOptions): Submits {
  const { store, clock, domainClock, log, serial } = context;

  function rowOf(account: EsmeAccount, submit: Submit, wish: Wish, destination: Address): Omit<NewSubmit, 'messageId'> {
    const { source } = submit;
    return {
      place: 0,
      systemId: account.config.systemId,
      partnerId: account.partner.id,
      smsId: null,
      serviceType: wish.serviceType,
      sourceTon: source.ton,
      sourceNpi: source.npi,
      source: source.address,
      destinationTon: destination.ton,
      destinationNpi: destination.npi,
      destination: destination.address,
      registeredDelivery: wish.registeredDelivery,
      wish: JSON.stringify({ ...wish, dataCoding: submit.pdu.dataCoding } satisfies KeptWish),
      ...{ groupKey: null, number: null, total: null, contentHash: null, wrapped: null },
      acceptedAt: domainClock.now(account.partner.id),
      heardAt: clock.now(),
    };
  }

  async function withFreshId<T>(attempt: (messageId: string) => Promise<T | undefined>): Promise<T> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const result = await attempt(newMessageId(clock.now()));
      if (result !== undefined) return result;
    }
    throw new RefusedWith(STATUS.ESME_RSYSERR);
  }

  /** The account's row is durable before the SMS is, so that no SMS is without whom to tell; one without an SMS was never answered. */
  async function takeWhole(account: EsmeAccount, submit: Submit, wish: Wish, sender: Sender, content: ReadContent): Promise<SubmitResult> {
    const joined = joinContent([content], account.config.dataCodingDefault);
    const statuses: number[] = [];
    const good: { place: number; destination: Address; recipient: string; smsId: string }[] = [];
    for (const [place, destination] of submit.destinations.entries()) {
      try {
        good.push({ place, destination, recipient: readDestination(destination), smsId: newId('sms', clock.now()) });
        statuses.push(STATUS.ESME_ROK);
      } catch (failure) {
        statuses.push(statusOf(failure));
      }
    }
    if (good.length === 0) throw new RefusedWith(statuses[0] ?? STATUS.ESME_RINVNUMDESTS);
    const messageId = await withFreshId(async (id) => {
      const rows = good.map(({ place, destination, smsId }) => ({
        ...rowOf(account, submit, wish, destination),
        ...{ messageId: id, place, smsId },
      }));
      return (await store.run(insertSubmits, { messageId: id, rows })) ? id : undefined;
    });
    const messages = good.map(({ smsId, recipient }) => ({ id: smsId, account, messageId, recipient, sender, content: joined, wish }));
    const refusals = await sends.send(messages);
    for (const [index, { place }] of good.entries()) {
      const refusal = refusals[index];
      if (refusal) statuses[place] = statusOf(refusal);
    }
    if (statuses.every((status) => status !== STATUS.ESME_ROK)) throw new RefusedWith(statuses[0] ?? STATUS.ESME_RSUBMITFAIL);
    return { messageId, statuses };
  }

  /** What waits from the same source to the same destination gives way: it keeps its id, and says this. */
  async function replaceWaiting(
    account: EsmeAccount,
    submit: Submit,
    wish: Wish,
    sender: Sender,
    content: ReadContent,
  ): Promise<string | undefined> {
    const [destination, ...others] = submit.destinations;
    if (!wish.isReplacing || !destination || others.length > 0) return undefined;
    const { systemId, dataCodingDefault } = account.config;
    const addresses = { source: submit.source.address, destination: destination.address, serviceType: wish.serviceType };
    const waiting = (await pendingSubmits(store, systemId, addresses)).find(
      ({ smsId, groupKey }) => smsId !== undefined && groupKey === undefined,
    );
    if (waiting?.smsId === undefined) return undefined;
    const { messageId, smsId } = waiting;
    const recipient = readDestination(destination);
    const isReplaced = await sends.replace({
      id: smsId,
      account,
      messageId,
      recipient,
      sender,
      content: joinContent([content], dataCodingDefault),
      wish,
    });
    if (!isReplaced) return undefined;
    const kept: KeptWish = { ...wish, dataCoding: submit.pdu.dataCoding };
    await store.run(changeSubmit, { messageId, registeredDelivery: wish.registeredDelivery, wish: JSON.stringify(kept) });
    return messageId;
  }

  async function takePart(
    account: EsmeAccount,
    submit: Submit,
    wish: Wish,
    sender: Sender,
    content: ReadContent,
    concat: ConcatInfo,
  ): Promise<SubmitResult> {
    const [destination, ...others] = submit.destinations;
    // A part to several is several messages, whose parts would have one id each: nobody asks for that.
    if (!destination || others.length > 0) throw new RefusedWith(STATUS.ESME_RINVESMCLASS);
    if (concat.total > PARTS_MAX) throw new RefusedWith(STATUS.ESME_RINVMSGLEN);
    const recipient = readDestination(destination);
    const groupKey = keyedHash(
      hashKey,
      account.config.systemId,
      reassemblyKey({ sourceAddr: sender.address, destinationAddr: recipient }, content) ?? '',
    );
    return serial.run(`esme ${groupKey}`, async () => {
      const messageId = await withFreshId(async (id) => {
        const now = clock.now();
        const kept = await store.run(insertPart, {
          ...rowOf(account, submit, wish, destination),
          messageId: id,
          groupKey,
          number: concat.part,
          total: concat.total,
          contentHash: keyedHash(hashKey, String(content.part.dataCoding), content.part.octets),
          wrapped: wrapPart(keyWrap, id, content),
          staleBefore: now - PARTS_WAIT_MS,
          endedAt: domainClock.now(account.partner.id),
        });
        return kept === 'again' ? undefined : kept.messageId;
      });
      await sendWhole(groupKey, concat.total, messageId);
      return { messageId, statuses: [STATUS.ESME_ROK] };
    });
  }

  /** @param answered the part whose submit waits for the outcome. @throws RefusedWith when the message is refused for good. */
  async function sendWhole(groupKey: string, total: number, answered: string | undefined): Promise<void> {
    const [open] = await store.read<{ n: number }>(
      'SELECT COUNT(*) AS n FROM sms_esme_submit WHERE group_key = $1 AND sms_id IS NULL AND ended IS NULL',
      [groupKey],
    );
    if (Number(open?.n ?? 0) < total) return;
    const smsId = newId('sms', clock.now());
    if (!(await store.run(claimGroup, { groupKey, total, smsId }))) return;
    try {
      await sendClaimed(smsId, answered);
    } catch (failure) {
      // For now only: its parts are durable, so they are answered OK and it goes out as soon as it can.
      if (failure instanceof RefusedWith) throw failure;
      log.warn({ smsId, code: isGatewayError(failure) ? failure.code : undefined }, 'joined message waits');
    }
  }

  async function sendClaimed(smsId: string, answered?: string): Promise<void> {
    const rows = await store.read<PartRow>(
      `SELECT message_id, system_id, source, destination, destination_ton, destination_npi, source_ton, source_npi, number, total, wish, wrapped
       FROM sms_esme_submit WHERE sms_id = $1 AND wrapped IS NOT NULL ORDER BY number`,
      [smsId],
    );
    const [first] = rows;
    const account = first && findAccount(first.system_id);
    if (!first) return;
    const endedAt = domainClock.now(account?.partner.id ?? '');
    const refusal = account ? await sendJoined(account, smsId, rows) : new RefusedWith(STATUS.ESME_RSUBMITFAIL);
    await store.run(endGroup, { smsId, ended: refusal ? 'refused' : null, answered: answered ?? null, endedAt });
    if (refusal) throw refusal;
  }

  async function sendJoined(account: EsmeAccount, smsId: string, rows: readonly PartRow[]): Promise<RefusedWith | undefined> {
    const [first] = rows;
    if (!first) return undefined;
    try {
      const contents = rows.map((row) => unwrapPart(keyWrap, row.message_id, row.wrapped));
      const message: EsmeSms = {
        id: smsId,
        account,
        messageId: first.message_id,
        recipient: readDestination({ ton: first.destination_ton, npi: first.destination_npi, address: first.destination }),
        sender: readSource(account, { ton: first.source_ton, npi: first.source_npi, address: first.source }),
        content: joinContent(contents, account.config.dataCodingDefault),
        wish: JSON.parse(first.wish) as KeptWish,
      };
      const [refusal] = await sends.send([message]);
      if (refusal?.code === 'UNAVAILABLE') throw refusal;
      return refusal && refusalOf(refusal);
    } catch (failure) {
      if (failure instanceof RefusedWith) return failure;
      throw failure;
    }
  }

  return {
    async take(account, submit) {
      const wish = readWish(submit.pdu, domainClock.now(account.partner.id));
      const sender = readSource(account, submit.source);
      const content = readContent(submit.pdu, account.config.dataCodingDefault);
      if (content.concat) return takePart(account, submit, wish, sender, content, content.concat);
      const replaced = await replaceWaiting(account, submit, wish, sender, content);
      if (replaced !== undefined) return { messageId: replaced, statuses: [STATUS.ESME_ROK] };
      return takeWhole(account, submit, wish, sender, content);
    },
    async recover() {
      const claimed = await store.read<{ id: string }>(
        `SELECT DISTINCT sms_id AS id FROM sms_esme_submit WHERE wrapped IS NOT NULL AND sms_id IS NOT NULL AND heard_at < $1 LIMIT ${RECOVER_ROWS}`,
        [clock.now() - CLAIM_MS],
      );
      for (const { id } of claimed) await sendClaimed(id).catch(ignoreRefusal);
      const whole = await store.read<{ group_key: string; total: number }>(
        `SELECT group_key, MAX(total) AS total FROM sms_esme_submit WHERE wrapped IS NOT NULL AND sms_id IS NULL AND ended IS NULL
         GROUP BY group_key HAVING COUNT(*) = MAX(total) LIMIT ${RECOVER_ROWS}`,
      );
      for (const { group_key: groupKey, total } of whole)
        await serial.run(`esme ${groupKey}`, () => sendWhole(groupKey, Number(total), undefined)).catch(ignoreRefusal);
    },
  };
}

/** It is written down, and its ESME is told by a receipt. */
function ignoreRefusal(failure: unknown): void {
  if (!(failure instanceof RefusedWith)) throw failure;
}
