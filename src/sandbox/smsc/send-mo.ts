import type { Clock } from '../../kernel/clock.js';
import { GatewayError, invalidField } from '../../kernel/errors.js';
import { dialable } from '../magic-numbers.js';
import type { DeliverFields, Deliveries, OwedDelivery, Settlement } from './deliveries.js';
import { splitText } from './short-message.js';
import type { MobileOriginated } from './types.js';

const TEXT_MAX = 1_530;
const ESM_CLASS_UDHI = 0x40;

export interface MoDesk {
  send(message: MobileOriginated): Promise<void>;
  /** To be told of every settled `mo`, so that whoever waits for it learns. */
  onSettled(deliveryId: string, settlement: Settlement): void;
  /** Requests that a message was written for, the oldest first; the last 1,000. */
  requests(): string[];
}

export interface MoDeskOptions {
  clock: Clock;
  deliveries: Pick<Deliveries, 'owe' | 'owed'>;
  nextId(): string;
  /** The account that this handset's messages go to. */
  accountFor(message: MobileOriginated): string | undefined;
  /** Makes it durable. */
  keep(delivery: OwedDelivery): void;
  /** Requests that a former run wrote for. */
  known: readonly string[];
}

const REQUESTS_MAX = 1_000;

/** The handsets' side: turns what somebody types into `deliver_sm` and waits for the answer. */
export function createMoDesk(options: MoDeskOptions): MoDesk {
  const { clock, deliveries } = options;
  const waiting = new Map<string, { resolve(): void; reject(failure: Error): void }[]>();
  const requests = new Set(options.known);
  let reference = 0;

  function fieldsOf({ from, to, text }: MobileOriginated): DeliverFields[] {
    const { dataCoding, parts } = splitText(text);
    if (parts.length === 1) return [{ from, to, esmClass: 0, dataCoding, text }];
    reference = (reference + 1) % 256;
    return parts.map((part, index) => {
      const udh = Buffer.from([5, 0, 3, reference, parts.length, index + 1]).toString('hex');
      return { from, to, esmClass: ESM_CLASS_UDHI, dataCoding, text: part, udh };
    });
  }

  const settled = (deliveryId: string): Promise<void> =>
    new Promise((resolve, reject) => waiting.set(deliveryId, [...(waiting.get(deliveryId) ?? []), { resolve, reject }]));

  function remember(id: string): void {
    requests.add(id);
    const [oldest] = requests;
    if (requests.size > REQUESTS_MAX && oldest !== undefined) requests.delete(oldest);
  }

  return {
    requests: () => [...requests],
    async send(message) {
      const { id } = message;
      if (id !== undefined && requests.has(id)) {
        const owed = deliveries.owed().find(({ requestId }) => requestId === id);
        return owed && settled(owed.deliveryId);
      }
      if (!message.from.startsWith('+') || !dialable(message.from)) throw invalidField('/from', 'must be a number of the sandbox');
      if (!/^\+?[0-9]{3,15}$/.test(message.to)) throw invalidField('/to', 'must be a number: nobody can answer an alphanumeric sender');
      if (message.text.length < 1 || message.text.length > TEXT_MAX) throw invalidField('/text', `must have 1 to ${TEXT_MAX} characters`);
      const systemId = options.accountFor(message);
      if (systemId === undefined) throw invalidField('/systemId', 'the SMSC has no such account');
      const parts = fieldsOf(message);
      const deliveryId = options.nextId();
      const delivery: OwedDelivery = {
        ...{ deliveryId, systemId, kind: 'mo', dueAt: clock.now(), parts },
        ...(id !== undefined && { requestId: id }),
      };
      if (!deliveries.owe(delivery)) throw new GatewayError('UNAVAILABLE', { detail: 'The simulated SMSC is closed or owes too much.' });
      options.keep(delivery);
      if (id !== undefined) remember(id);
      await settled(deliveryId);
    },
    onSettled(deliveryId, settlement) {
      const waiters = waiting.get(deliveryId) ?? [];
      waiting.delete(deliveryId);
      for (const waiter of waiters) {
        if (settlement.kind === 'acknowledged') waiter.resolve();
        else if (settlement.kind === 'closed') waiter.reject(new GatewayError('UNAVAILABLE', { detail: 'The simulated SMSC closed.' }));
        else waiter.reject(new GatewayError('SMPP.REFUSED', { detail: `deliver_sm was refused with status ${settlement.status}.` }));
      }
    },
  };
}
