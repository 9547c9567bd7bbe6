import { GatewayError, isGatewayError } from '../../kernel/errors.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { Partner } from '../../partners/index.js';
import type { SmsContext } from '../context.js';
import { packBody } from '../outbound/body.js';
import { type NewSms, type SmsQueue, textPurpose } from '../outbound/queue.js';
import { segmentsFor } from '../outbound/submit-fields.js';
import { readSms } from '../read-sms.js';
import { esmeClientId } from './account.js';
import type { EsmeSends, EsmeSms } from './ports.js';
import { replaceSms } from './replace-operation.js';

export interface SendsByQueueOptions {
  context: Pick<SmsContext, 'store' | 'clock' | 'domainClock'>;
  keyWrap: KeyWrap;
  queue: SmsQueue['queue'];
  /** @returns whether it had not gone out. */
  cancel: (smsId: string) => Promise<boolean>;
  /** Something may go now over this link. */
  onQueued: (partnerId: string, linkId: string) => void;
}

/** Sends straight through the queue. */
export function createSendsByQueue({ context, keyWrap, queue, cancel, onQueued }: SendsByQueueOptions): EsmeSends {
  const { store, clock, domainClock } = context;

  function linkOf({ smpp }: Partner) {
    const link = smpp.links.find(({ bindType }) => bindType !== 'receiver');
    if (!link) throw new GatewayError('SMS.NO_ROUTE', { detail: 'No link reaches this number.' });
    return link;
  }

  /** The wall clock's instant of one of the partner's domain time. */
  const wallOf = (partnerId: string, at: number): number => at - domainClock.now(partnerId) + clock.now();

  function newSms({ id, account, messageId, recipient, sender, content, wish }: EsmeSms): NewSms {
    const { partner } = account;
    const market = marketOf(partner, recipient);
    const link = linkOf(partner);
    if (!market?.dialable) throw new GatewayError('SMS.NO_ROUTE', { detail: 'No link reaches this number.' });
    // Refused now rather than when its turn comes.
    segmentsFor(content, 0, link);
    return {
      ...{ id, partnerId: partner.id, market: market.code, linkId: link.id, recipient, sender: sender.address },
      clientId: esmeClientId(account),
      externalId: messageId,
      class: wish.class,
      takesReply: sender.replies,
      ...content,
      correlator: messageId,
      validForMs: wish.validUntil - domainClock.now(partner.id),
      hold: wish.sendAt === undefined ? undefined : { until: wallOf(partner.id, wish.sendAt), waitsFor: 'next-try' },
    };
  }

  async function sendOne(message: EsmeSms): Promise<GatewayError | undefined> {
    try {
      const once = { partnerId: message.account.partner.id, scope: 'esme', key: message.id, fingerprint: '', answer: '' };
      await queue([newSms(message)], once);
      return undefined;
    } catch (failure) {
      if (isGatewayError(failure)) return failure;
      throw failure;
    }
  }

  return {
    send: (messages) => Promise.all(messages.map(sendOne)),
    cancel,
    async replace({ id, account, content, wish }) {
      const { partner } = account;
      const sms = await readSms(store, id);
      if (!sms) return false;
      const link = linkOf(partner);
      segmentsFor(content, 0, link);
      const isReplaced = await store.run(replaceSms, {
        id,
        version: sms.message.version,
        wrapped: keyWrap.wrap(packBody(content), textPurpose(id)),
        expiresAt: wallOf(partner.id, wish.validUntil),
        notBefore: wish.sendAt === undefined ? clock.now() : wallOf(partner.id, wish.sendAt),
        waitsFor: wish.sendAt === undefined ? null : 'next-try',
        domainNow: domainClock.now(partner.id),
      });
      if (isReplaced) onQueued(partner.id, link.id);
      return isReplaced;
    },
  };
}

const marketOf = (partner: Partner, msisdn: string) =>
  partner.markets.find(({ msisdnPrefixes }) => msisdnPrefixes.some((prefix) => msisdn.startsWith(prefix)));
