import type { FieldError } from '../../kernel/errors.js';
import type { Sender } from '../../partners/index.js';
import type { SmsClass } from '../message.js';

export type SenderUse = Sender['use'][number];

/** What a partner's own message of a class needs a sender for. */
export const useOfClass = (kind: SmsClass): SenderUse => (kind === 'urgent' ? 'notice' : kind);

/** Which rule keeps a sender from carrying a message. */
export type SenderRule = 'market' | 'use' | 'direction' | 'status' | 'opted-out' | 'conversation';

/** The first rule that a sender breaks, of those that need nothing but the inventory. */
export function brokenRule(sender: Sender, market: string, use: SenderUse): SenderRule | undefined {
  if (!sender.markets.includes(market)) return 'market';
  if (sender.direction === 'mo') return 'direction';
  if (sender.status !== 'active') return 'status';
  return sender.use.includes(use) ? undefined : 'use';
}

const WHY: Readonly<Record<SenderRule, (sender: Sender) => string>> = {
  market: () => 'may not be used in this market',
  direction: () => 'only takes messages (direction: mo)',
  status: ({ status }) => `is ${status}`,
  use: ({ use }) => `may be used for ${use.join(', ')} only`,
  'opted-out': ({ group }) => `is of the group ${group}, of which the subscriber wants no more messages`,
  conversation: () => 'is where this subscriber has a conversation, whose answers would be mixed up with this message',
};

/** Says of a sender which rule it breaks. */
export const senderFault = (sender: Sender, rule: SenderRule): FieldError => ({
  pointer: '/sender',
  code: rule,
  message: `${sender.address} ${WHY[rule](sender)}`,
});

/**
 * The senders that may carry a message, the best first. A chat wants a number that can be answered; where none is free it
 * goes out under letters, which nobody can answer. A code or notice is better under letters: nobody answers it.
 */
export function candidates(senders: readonly Sender[], market: string, use: SenderUse): Sender[] {
  const fitting = senders.filter((sender) => brokenRule(sender, market, use) === undefined);
  const letters = fitting.filter((sender) => !sender.replies);
  const answerable = fitting.filter((sender) => sender.replies);
  if (use !== 'chat') return [...letters, ...answerable];
  // A text without a way back tells no more than a notice does of who may write under these letters.
  const oneWay = senders.filter(
    (sender) => !sender.replies && !letters.includes(sender) && brokenRule(sender, market, 'notice') === undefined,
  );
  return [...answerable, ...letters, ...oneWay];
}
