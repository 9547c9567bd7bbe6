import type { Clock } from '../../kernel/clock.js';
import { invalidField } from '../../kernel/errors.js';
import { newId } from '../../kernel/ids.js';
import { parseMsisdn } from '../../kernel/msisdn.js';
import type { Partner } from '../../partners/index.js';
import type { SmsClass } from '../message.js';
import type { WritePartnerText } from '../notices/partner-text.js';
import { type AskedSms, VALIDITY_MS } from './asked.js';

/** A message as the contract's schema SmsMessageRequest has it, or a row of a batch. */
export interface SmsRequest {
  to: string;
  text?: string;
  template?: string;
  variables?: Record<string, string>;
  language?: string;
  class: SmsClass;
  sender?: string;
  validitySeconds?: number;
  externalId?: string;
  market?: string;
}

/** Who asks, as the access token says. */
export interface SmsCaller {
  partner: Partner;
  clientId: string;
  markets: readonly string[] | undefined;
  correlator: string;
}

/**
 * Reads what a partner's client asks for: the number, and the text that the subscriber will read.
 *
 * @throws GatewayError `INVALID_ARGUMENT` naming the field, `SMS.TEMPLATE_UNKNOWN`.
 */
export function readRequest(
  { to, text, template, variables, language, validitySeconds, ...given }: SmsRequest,
  caller: SmsCaller,
  clock: Pick<Clock, 'now'>,
  write: WritePartnerText,
): AskedSms {
  if ((text === undefined) === (template === undefined)) throw invalidField('/text', 'give exactly one of text and template');
  if (template === undefined && (variables ?? language) !== undefined)
    throw invalidField(variables === undefined ? '/language' : '/variables', 'belongs to a template');
  const number = parseMsisdn(to, '/to');
  const { partner, correlator, clientId, markets } = caller;
  const market = given.market ?? marketByRange(partner, number)?.code ?? partner.markets[0]?.code ?? '';
  return {
    ...given,
    id: newId('sms', clock.now()),
    ...{ partner, markets, clientId, correlator },
    to: number,
    text: template === undefined ? (text ?? '') : write(partner, { template, variables, language, market }).text,
    validForMs: validitySeconds === undefined ? VALIDITY_MS[given.class] : validitySeconds * 1_000,
  };
}

/** The market of a number by the longest of the partner's ranges that it is in. */
export function marketByRange(partner: Partner, msisdn: string): Partner['markets'][number] | undefined {
  let longest = 0;
  let found: Partner['markets'][number] | undefined;
  for (const market of partner.markets) {
    for (const prefix of market.msisdnPrefixes) {
      if (prefix.length <= longest || !msisdn.startsWith(prefix)) continue;
      longest = prefix.length;
      found = market;
    }
  }
  return found;
}
