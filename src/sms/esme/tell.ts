import type { SmsContext } from '../context.js';
import { FINAL_STATES, type SmsMessage } from '../message.js';
import { insertDeliveries, type NewDelivery } from './delivery-operations.js';
import { type FoundSubmit, submitsOfSms, untoldSubmits } from './find-submits.js';
import { networkErrorOf, type ReceiptFields, tellsOf, toldState } from './receipt.js';
import { markSubmitTold } from './submit-operations.js';

/** Tells ESMEs what became of their messages, each state once. */
export interface Tellers {
  /** The message came to the state that it has. Resolves once what its ESME asked to hear of it is durable. */
  tell(message: SmsMessage): Promise<void>;
  /** Tells of those that became no SMS. */
  tellEnded(): Promise<void>;
}

const ENDED_ROWS = 200;

/** @param onQueued something waits for the account. */
export function createTellers(
  { store, clock, domainClock }: Pick<SmsContext, 'store' | 'clock' | 'domainClock'>,
  onQueued: (systemId: string) => void,
): Tellers {
  function deliveryOf(partnerId: string, submit: FoundSubmit): NewDelivery | undefined {
    const { messageId, place, systemId, source, destination, registeredDelivery, state } = submit;
    const kind = tellsOf(registeredDelivery, state);
    if (!kind) return undefined;
    const fields: ReceiptFields = {
      ...{ messageId, source, destination },
      state: toldState(state),
      isIntermediate: kind === 'intermediate',
      error: networkErrorOf(submit),
      acceptedAt: submit.acceptedAt,
      doneAt: (FINAL_STATES.includes(state) ? submit.finalAt : undefined) ?? domainClock.now(partnerId),
    };
    const cause = `${messageId}/${place}/${state}`;
    return { cause, systemId, partnerId, kind: 'receipt', fields: JSON.stringify(fields), wrapped: null, heardAt: clock.now() };
  }

  async function queue(partnerId: string, submits: readonly FoundSubmit[]): Promise<void> {
    const deliveries = submits.flatMap((submit) => deliveryOf(partnerId, submit) ?? []);
    if (deliveries.length === 0) return;
    await store.run(insertDeliveries, { deliveries });
    for (const systemId of new Set(deliveries.map((delivery) => delivery.systemId))) onQueued(systemId);
  }

  return {
    async tell({ id, partnerId, state, reason, finalAt }) {
      const submits = await submitsOfSms(store, id);
      await queue(
        partnerId,
        submits.map((submit) => ({ ...submit, state, reason, finalAt })),
      );
    },
    async tellEnded() {
      for (const submit of await untoldSubmits(store, ENDED_ROWS)) {
        await queue(submit.partnerId, [submit]);
        await store.run(markSubmitTold, { messageId: submit.messageId });
      }
    },
  };
}
