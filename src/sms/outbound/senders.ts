import type { Fallback } from '../../engine/index.js';
import type { Sender } from '../../partners/index.js';
import type { SmsContext } from '../context.js';
import { useSlot } from '../operations.js';
import { candidates, type SenderUse } from '../senders/candidates.js';

/** What a fallback needs a sender for. */
export const useOf = ({ mode, class: kind }: Pick<Fallback, 'mode' | 'class'>): SenderUse =>
  mode === 'notice' ? 'notice' : kind === 'otp' ? 'otp' : 'chat';

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
