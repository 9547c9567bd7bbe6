import { type FieldError, GatewayError } from '../../kernel/errors.js';
import type { TrafficHold } from '../guards/traffic.js';

/** A refusal that names the field it is about. */
function refusal(
  code: ConstructorParameters<typeof GatewayError>[0],
  pointer: string,
  rule: string,
  message: string,
  hint: string,
): GatewayError {
  return new GatewayError(code, { detail: `${pointer}: ${message}`, hint, errors: [{ pointer, code: rule, message }] });
}

export const noSuchMarket = (): GatewayError =>
  refusal('MARKET.NOT_COVERED', '/market', 'unknown', 'is not a market that this token covers', 'GET /v1/partner lists the markets.');

export const notOurs = (): GatewayError =>
  refusal(
    'PROVISIONING.MSISDN_NOT_OURS',
    '/to',
    'not-ours',
    "is outside the partner's ranges, and no line of the partner",
    'A partner writes to its own subscribers.',
  );

export const notDialled = (): GatewayError =>
  refusal('SMS.NO_ROUTE', '/to', 'not-dialled', 'is in a market that is not dialled here', 'In the sandbox only market XS is dialled.');

export const noLink = (): GatewayError =>
  refusal('SMS.NO_ROUTE', '/to', 'no-link', 'is reached by no link of the partner', 'A link that submits is needed in partner.yaml.');

export const blocked = (rule: 'premium-range' | 'blocked-range'): GatewayError =>
  rule === 'premium-range'
    ? refusal('SMS.RANGE_BLOCKED', '/to', rule, 'is a premium-rate number', 'Nothing is sent to premium-rate ranges.')
    : refusal('SMS.RANGE_BLOCKED', '/to', rule, 'is in a range that the partner has blocked', 'partner.yaml, sms.blockedPrefixes.');

export const switchedOff = (): GatewayError =>
  new GatewayError('SMS.SENDING_STOPPED', {
    detail: "Nothing is sent by SMS: the partner's kill switch is on.",
    hint: 'PUT /v1/fallback-policy with killSwitch false, then send it again.',
  });

export const optedOut = (): GatewayError =>
  refusal('SMS.OPTED_OUT', '/to', 'opted-out', 'wants no more messages of this class', 'The subscriber can send START to the sender.');

export const noSender = (errors: FieldError[]): GatewayError =>
  new GatewayError('SMS.NO_SENDER', {
    detail: errors.length === 1 ? `/sender: ${errors[0]?.message}` : 'No sender of the partner may carry this message.',
    hint: 'GET /v1/senders shows the inventory; errors names the rule that each sender breaks.',
    // The wire has room for a hundred.
    errors: errors.slice(0, 100),
  });

export const unknownSender = (): GatewayError =>
  refusal('SMS.NO_SENDER', '/sender', 'unknown', 'is not in the inventory', 'GET /v1/senders shows the inventory.');

export const wouldExpire = (): GatewayError =>
  refusal(
    'SMS.QUIET_HOURS',
    '/validitySeconds',
    'quiet-hours',
    'ends before the quiet hours of the recipient do',
    'Send it later, let it live longer, or use a class that quiet hours do not hold.',
  );

const CAPS = {
  recipient: 'gets no more today: the cap of the policy for one number is reached',
  pair: 'gets no more from this sender today: the cap of the policy for one pair is reached',
} as const;

/** @param seconds until the next day of the recipient. */
export const capped = (which: keyof typeof CAPS, seconds: number): GatewayError =>
  new GatewayError('SMS.CAP_REACHED', {
    detail: `/to: ${CAPS[which]}`,
    hint: 'The caps are in GET /v1/fallback-policy.',
    errors: [{ pointer: '/to', code: `cap-${which}`, message: CAPS[which] }],
    headers: { 'Retry-After': String(Math.max(1, seconds)) },
  });

const HELD: Readonly<Record<TrafficHold, string>> = {
  'cap-market-hour': 'is in a market that gets no more in this hour: the cap of the policy is reached',
  'pumping-range': 'is in a range that gets far more than in its last seven days',
  'pumping-sequence': 'continues a long row of numbers that follow one another',
};

/** @param seconds until the hour of the count ends. */
export const heldTraffic = (hold: TrafficHold, seconds: number): GatewayError =>
  new GatewayError(hold === 'cap-market-hour' ? 'SMS.CAP_REACHED' : 'SMS.PUMPING_SUSPECTED', {
    detail: `/to: ${HELD[hold]}`,
    hint: 'The limits are in GET /v1/fallback-policy; raise them if this traffic is wanted.',
    errors: [{ pointer: '/to', code: hold, message: HELD[hold] }],
    headers: { 'Retry-After': String(Math.max(1, seconds)) },
  });
