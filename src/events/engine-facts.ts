import type { EngineFact, FallbackSnapshot } from '../engine/index.js';
import { toRfc3339 } from '../kernel/clock.js';
import type { NewEvent } from './event.js';

/** The steps of a fallback that are events by themselves; the others show as events of its SMS. */
const FALLBACK_SUMMARIES: Readonly<Record<string, string>> = {
  'fallback.armed': 'A message waits for the app; an SMS goes out if it is missed',
  'fallback.cancelled': 'The SMS is not needed any more',
  'fallback.claimed': 'The app did not get the message in time; an SMS is on its way',
  'fallback.unknown': 'The SMS may have arrived: the link was lost before an answer came',
};

/**
 * The event that a fact of the messaging engine makes in the partner's log, or undefined when the partner is not told.
 *
 * @param subscriptionId of the line that the fact is about, if there is one.
 */
export function eventOfFact(fact: EngineFact, subscriptionId: string | undefined): NewEvent | undefined {
  const { id, at, partnerId, market } = fact;
  if (fact.kind === 'account.registered') {
    return {
      ...{ id, at, partnerId, market },
      type: 'account.registered',
      subject: fact.accountId,
      ...(subscriptionId !== undefined && { subscriptionId }),
      resource: {
        id: fact.accountId,
        market,
        msisdn: fact.msisdn,
        ...(subscriptionId !== undefined && { subscriptionId }),
        registeredAt: toRfc3339(at),
      },
      summary: fact.isNewAccount ? 'A phone registered in the messaging app' : 'Another phone registered in the messaging app',
    };
  }
  const summary = FALLBACK_SUMMARIES[fact.kind];
  if (fact.kind === 'account.ended' || summary === undefined) return undefined;
  const { fallback } = fact;
  const line = fallback.subscriptionId ?? subscriptionId;
  return {
    ...{ id, at, partnerId, market },
    type: fact.kind,
    subject: fallback.id,
    ...(line !== undefined && { subscriptionId: line }),
    resource: showFallbackSnapshot(fallback, market, line),
    // As its SMS has it.
    correlator: fallback.correlator ?? fallback.messageId,
    summary,
    facts: [
      { name: 'mode', value: fallback.mode },
      { name: 'class', value: fallback.class },
      { name: 'ref', value: fallback.ref },
      ...(fallback.reason === null ? [] : [{ name: 'reason', value: fallback.reason }]),
    ],
  };
}

/** As the contract's schema Fallback. */
const showFallbackSnapshot = (fallback: FallbackSnapshot, market: string, subscriptionId: string | undefined) => ({
  id: fallback.id,
  mode: fallback.mode,
  class: fallback.class,
  state: fallback.state,
  market,
  ...(subscriptionId !== undefined && { subscriptionId }),
  dueAt: toRfc3339(fallback.dueAt),
  ...(fallback.smsId !== null && { smsId: fallback.smsId }),
  ref: fallback.ref,
  ...(fallback.reason !== null && { reason: fallback.reason }),
  createdAt: toRfc3339(fallback.armedAt),
  updatedAt: toRfc3339(fallback.updatedAt),
});
