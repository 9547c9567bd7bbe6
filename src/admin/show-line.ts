import type { TimelineItem } from '../events/index.js';
import { toRfc3339 } from '../kernel/clock.js';
import { maskMsisdn } from '../kernel/msisdn.js';
import type { PartnerRegistry } from '../partners/index.js';
import type { Subscription } from '../store/models.js';

/** A card's or an identity's digits with only the last four to be read. */
const maskDigits = (digits: string): string => `${'•'.repeat(Math.max(0, digits.length - 4))}${digits.slice(-4)}`;

/** A line in a list: enough to tell two apart, and no whole number. */
export const showLineSummary = (line: Subscription) => ({
  id: line.id,
  status: line.status,
  partnerId: line.partnerId,
  market: line.market,
  msisdn: maskMsisdn(line.msisdn),
  createdAt: toRfc3339(line.createdAt.getTime()),
});

export interface LineFacts {
  plan: { id: string; name: string } | undefined;
  imsi: string | undefined;
  entitlements: readonly unknown[];
}

/** The card of a line. Its numbers are masked; `revealNumbers` is the other way. */
export function showLine(line: Subscription, { plan, imsi, entitlements }: LineFacts, partners: Pick<PartnerRegistry, 'get'>) {
  const partner = partners.get(line.partnerId);
  const market = partner?.markets.find(({ code }) => code === line.market);
  const at = (instant: Date) => toRfc3339(instant.getTime());
  return {
    ...showLineSummary(line),
    partnerName: partner?.name ?? line.partnerId,
    timeZone: market?.timeZone ?? 'UTC',
    iccid: maskDigits(line.iccid),
    ...(imsi !== undefined && { imsi: maskDigits(imsi) }),
    plan: { id: line.planId, version: line.planVersion, name: plan?.name ?? line.planId },
    orderId: line.orderId,
    simId: line.simId,
    authority: line.authority,
    asOf: at(line.asOf),
    ...(line.lastConfirmedAt && { lastConfirmedAt: at(line.lastConfirmedAt) }),
    ...(line.activatedAt && { activatedAt: at(line.activatedAt) }),
    ...(line.endedAt && { endedAt: at(line.endedAt) }),
    entitlements,
  };
}

/** What looks like a subscriber's number or a card, should a reporter ever put one into words. */
const NUMBER = /\+[0-9]{7,15}\b|\b89[0-9]{16,18}\b/g;
const withoutNumbers = (text: string): string => text.replace(NUMBER, (number) => maskDigits(number));

/** A step of the story. It holds no numbers by the reporters' promise; this is the second net. */
export const showStep = (item: TimelineItem) => ({
  ...item,
  at: toRfc3339(item.at),
  summary: withoutNumbers(item.summary),
  facts: item.facts.map(({ name, value }) => ({ name, value: withoutNumbers(value) })),
});
