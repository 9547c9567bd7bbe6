import { GatewayError, isGatewayError } from '../../kernel/errors.js';
import type { Partner } from '../../partners/index.js';
import type { SmsContext } from '../context.js';
import type { NewSms, SmsQueue } from '../outbound/queue.js';
import { segmentsFor } from '../outbound/submit-fields.js';
import { esmeClientId } from './account.js';
import type { EsmeSends, EsmeSms } from './ports.js';

/** Sends straight through the queue. */
export function createSendsByQueue(
  { clock, domainClock }: Pick<SmsContext, 'clock' | 'domainClock'>,
  queue: SmsQueue['queue'],
  cancel: (partnerId: string, smsId: string) => Promise<boolean>,
): EsmeSends {
  function newSms({ id, account, messageId, recipient, sender, content, wish }: EsmeSms): NewSms {
    const { partner } = account;
    const market = marketOf(partner, recipient);
    const link = partner.smpp.links.find(({ bindType }) => bindType !== 'receiver');
    if (!market?.dialable || !link) throw new GatewayError('SMS.NO_ROUTE', { detail: 'No link reaches this number.' });
    // Refused now rather than when its turn comes.
    segmentsFor(content, 0, link);
    const aheadMs = domainClock.now(partner.id) - clock.now();
    return {
      ...{ id, partnerId: partner.id, market: market.code, linkId: link.id, recipient, sender: sender.address },
      clientId: esmeClientId(account),
      externalId: messageId,
      class: wish.class,
      takesReply: sender.replies,
      ...content,
      correlator: messageId,
      validForMs: wish.validUntil - domainClock.now(partner.id),
      hold: wish.sendAt === undefined ? undefined : { until: wish.sendAt - aheadMs, waitsFor: 'next-try' },
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
    replace: async () => false,
  };
}

const marketOf = (partner: Partner, msisdn: string) =>
  partner.markets.find(({ msisdnPrefixes }) => msisdnPrefixes.some((prefix) => msisdn.startsWith(prefix)));
