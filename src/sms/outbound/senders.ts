import type { Fallback } from '../../engine/index.js';
import type { Sender } from '../../partners/index.js';
import type { SmsContext } from '../context.js';
import { useSlot } from '../operations.js';

export type SenderUse = Sender['use'][number];

/** What a fallback needs a sender for. */
export const useOf = ({ mode, class: kind }: Pick<Fallback, 'mode' | 'class'>): SenderUse =>
  mode === 'notice' ? 'notice' : kind === 'otp' ? 'otp' : 'chat';

/**
 * The senders that may carry a message, the best first. A chat wants a number that can be answered; where none is free it
 * goes out under letters, which nobody can answer. A code or notice is better under letters: nobody answers it.
 */
export function candidates(senders: readonly Sender[], market: string, use: SenderUse): Sender[] {
  const inMarket = senders.filter((sender) => sender.markets.includes(market));
  const fitting = inMarket.filter((sender) => sender.use.includes(use));
  const letters = fitting.filter((sender) => !sender.replies);
  const answerable = fitting.filter((sender) => sender.replies);
  if (use !== 'chat') return [...letters, ...answerable];
  // A text without a way back tells no more than a notice does of who may write under these letters.
  const oneWay = inMarket.filter((sender) => !sender.replies && !letters.includes(sender) && sender.use.includes('notice'));
  return [...answerable, ...letters, ...oneWay];
}

/**
 * Chooses the sender of a fallback's SMS and, for one that can be answered, takes the slot (recipient, sender) for this
 * conversation: the one it had before, or one that no other conversation of the recipient ever had.
 *
 * @returns undefined when no sender may carry it.
 */
export async function chooseSender(
  { store, clock }: SmsContext,
  senders: readonly Sender[],
  fallback: Fallback,
  smsId: string,
): Promise<Sender | undefined> {
  const use = useOf(fallback);
  const all = candidates(senders, fallback.market, use);
  const slots = await store.read<{ sender: string; sender_account_id: string }>(
    'SELECT sender, sender_account_id FROM sms_slot WHERE recipient = $1',
    [fallback.msisdn],
  );
  const ownerOf = new Map(slots.map((slot) => [slot.sender, slot.sender_account_id]));
  const isOwn = (sender: Sender) => ownerOf.get(sender.address) === fallback.senderAccountId;
  // One conversation stays one thread on the phone.
  const ordered = use === 'chat' ? [...all.filter(isOwn), ...all.filter((sender) => !isOwn(sender))] : all;
  for (const sender of ordered) {
    if (!sender.replies) return sender;
    if (ownerOf.has(sender.address) && !isOwn(sender)) continue;
    const isTaken = await store.run(useSlot, {
      recipient: fallback.msisdn,
      sender: sender.address,
      senderAccountId: fallback.senderAccountId,
      senderDeviceId: fallback.senderDeviceId,
      clientMsgId: fallback.clientMsgId,
      fallbackId: fallback.id,
      smsId,
      lineEpoch: fallback.lineEpoch,
      partnerId: fallback.partnerId,
      market: fallback.market,
      subscriptionId: fallback.subscriptionId ?? null,
      now: clock.now(),
    });
    if (isTaken) return sender;
  }
  return undefined;
}
