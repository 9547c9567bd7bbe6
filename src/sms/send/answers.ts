import { type Clock, type DomainClock, toRfc3339 } from '../../kernel/clock.js';
import { GatewayError, isGatewayError } from '../../kernel/errors.js';
import { maskMsisdn } from '../../kernel/msisdn.js';
import { createWritePartnerText } from '../notices/partner-text.js';
import type { AskedSms, Decided } from './asked.js';
import { readRequest, type SmsCaller, type SmsRequest } from './read-request.js';
import type { SendResult, Sends } from './send.js';

/** What the API answers, as JSON text: the very text that a repeat of the call gets. */
export interface SendAnswer {
  json: string;
  /** Of the message; undefined for a batch. */
  location: string | undefined;
  isRepeated: boolean;
}

/** What makes a call happen once. */
export interface CallOnce {
  /** The Idempotency-Key. */
  key: string;
  /** Of the body. */
  fingerprint: string;
}

/** The partner API's two ways to send. */
export interface SendApi {
  /** @throws GatewayError why it is refused. */
  one(request: SmsRequest, caller: SmsCaller, once: CallOnce): Promise<SendAnswer>;
  /** One that is refused keeps no other from going. @throws GatewayError `IDEMPOTENCY.KEY_REUSED`, `UNAVAILABLE`. */
  batch(requests: readonly SmsRequest[], caller: SmsCaller, once: CallOnce): Promise<SendAnswer>;
}

export function createSendApi(sends: Sends, { clock, domainClock }: { clock: Clock; domainClock: DomainClock }): SendApi {
  const write = createWritePartnerText();

  return {
    async one(request, caller, { key, fingerprint }) {
      const asked = readRequest(request, caller, clock, write);
      const showNew = (decided: Decided) => JSON.stringify(shownAtOnce(decided, domainClock.now(caller.partner.id)));
      let json = '';
      const outcome = await sends.send([asked], {
        ...{ partnerId: caller.partner.id, scope: 'sendSmsMessage', key, fingerprint },
        answer: ([result]) => {
          json = result && 'decided' in result ? showNew(result.decided) : '';
          return json;
        },
      });
      if (outcome.outcome === 'repeated') return { json: outcome.answer, location: locationOf(outcome.answer), isRepeated: true };
      const [result] = outcome.results;
      if (result && 'refused' in result) throw result.refused;
      return { json, location: `/v1/sms-messages/${asked.id}`, isRepeated: false };
    },

    async batch(requests, caller, { key, fingerprint }) {
      const read = requests.map((request): AskedSms | GatewayError => {
        try {
          return readRequest(request, caller, clock, write);
        } catch (failure) {
          if (isGatewayError(failure) && failure.status < 500) return failure;
          throw failure;
        }
      });
      const asked = read.flatMap((each) => (each instanceof GatewayError ? [] : [each]));
      const showAll = (results: readonly SendResult[]): string => {
        const rest = [...results];
        return JSON.stringify(
          shownBatch(read.map((each) => (each instanceof GatewayError ? { refused: each } : (rest.shift() ?? NOTHING)))),
        );
      };
      let json = '';
      const outcome = await sends.send(asked, {
        ...{ partnerId: caller.partner.id, scope: 'sendSmsBatch', key, fingerprint },
        answer: (results) => {
          json = showAll(results);
          return json;
        },
      });
      if (outcome.outcome === 'repeated') return { json: outcome.answer, location: undefined, isRepeated: true };
      return { json: json === '' ? showAll(outcome.results) : json, location: undefined, isRepeated: false };
    },
  };
}

const NOTHING: SendResult = { refused: new GatewayError('INTERNAL', { detail: 'A message was not judged.' }) };

const locationOf = (json: string): string => `/v1/sms-messages/${(JSON.parse(json) as { id: string }).id}`;

/** The message as it is at the moment of its creation (schema SmsMessage). */
function shownAtOnce({ sms, segments, price, inApp }: Decided, createdAt: number) {
  const { hold } = sms;
  return {
    id: sms.id,
    direction: 'mt',
    state: inApp === undefined ? 'queued' : 'inApp',
    class: sms.class,
    market: sms.market,
    sender: sms.sender,
    recipient: maskMsisdn(sms.recipient),
    segments: [],
    linkId: sms.linkId,
    receipts: [],
    ...(sms.externalId !== undefined && { externalId: sms.externalId }),
    forecast: { segments, ...(price && { price }) },
    ...(hold && { waitingReason: hold.waitsFor }),
    correlator: sms.correlator,
    createdAt: toRfc3339(createdAt),
    expiresAt: toRfc3339(createdAt + sms.validForMs),
    updatedAt: toRfc3339(createdAt),
  };
}

/** As the contract's schema SmsBatch. */
function shownBatch(results: readonly SendResult[]) {
  const items = results.map((result, index) => {
    if ('decided' in result) {
      const { sms, segments, price } = result.decided;
      return { index, status: 'accepted', smsId: sms.id, segments, ...(price && { price }) };
    }
    const { code, detail, errors } = result.refused;
    const [first] = errors ?? [];
    return {
      ...{ index, status: 'refused', code },
      ...(first && { pointer: `/messages/${index}${first.pointer}` }),
      message: first?.message ?? detail,
    };
  });
  const accepted = items.filter(({ status }) => status === 'accepted').length;
  return { total: items.length, accepted, refused: items.length - accepted, items };
}
