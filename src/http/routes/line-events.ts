import { type Provisioning, showLineEvent } from '../../provisioning/index.js';
import type { PartnerRoutes } from '../route.js';

/** @param linesSettled resolves when every line change that was committed is in messages.db. */
export function createLineEventRoutes({
  lineEvents,
  linesSettled,
}: Pick<Provisioning, 'lineEvents'> & { linesSettled(): Promise<void> }): PartnerRoutes {
  return {
    createLineEvent: {
      async act({ caller, correlator, body }, tx, hints) {
        const { occurredAt, ...event } = body as { type: string; msisdn: string; occurredAt?: string; note?: string };
        const recorded = { ...event, ...(occurredAt !== undefined && { occurredAt: new Date(occurredAt) }) };
        return { status: 201, body: showLineEvent(await lineEvents.record(tx, hints, { ...caller, correlator }, recorded)) };
      },
      // The answer promises that nothing armed before will reach whoever has the number now.
      after: () => linesSettled(),
    },
  };
}
