import { toRfc3339 } from '../../kernel/clock.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { SmsContext } from '../context.js';
import type { EsmeMessages } from '../esme/messages.js';
import { HPKE_SUITE, type Opener } from '../opener/index.js';
import { replyEvent } from '../report.js';
import { endInbound } from './operations.js';
import { INBOUND_PURPOSE } from './purposes.js';

/** A type, not an interface, so that it is a row of the store. */
type InboundRow = {
  id: string;
  partner_id: string;
  link_id: string;
  sender: string;
  recipient: string;
  state: string;
  content: string;
  missing_parts: number;
  wrapped: string | null;
  received_at: number;
};

type SlotRow = {
  sender_account_id: string;
  sender_device_id: string;
  client_msg_id: string;
  fallback_id: string;
  sms_id: string;
  line_epoch: number;
  market: string;
  subscription_id: string | null;
};

interface ReplyRouterOptions {
  context: SmsContext;
  opener: Opener;
  keyWrap: KeyWrap;
  /** Hands an SMS of no conversation to the ESME that owns the number. @returns its system_id, or undefined when there is none. */
  toEsme: EsmeMessages['take'];
}

/**
 * Puts an answer that came by SMS into the chat that it belongs to: found by the slot it was sent to, sealed to the device
 * that wrote last, queued once under the inbound's id. What no chat can take stays, encrypted, and is reported.
 * Repeating it, after a crash for instance, changes nothing.
 */
export function createReplyRouter({ context, opener, keyWrap, toEsme }: ReplyRouterOptions) {
  const { store, clock, engine, partners, log, wakeOutbox } = context;

  async function slotOf(row: InboundRow): Promise<SlotRow | { missing: string }> {
    const [slot] = await store.read<SlotRow>('SELECT * FROM sms_slot WHERE recipient = $1 AND sender = $2 AND partner_id = $3', [
      row.sender,
      row.recipient,
      row.partner_id,
    ]);
    if (!slot) return { missing: 'no-conversation' };
    const line = await engine.lines.get(row.sender);
    // Whoever has the number now never wrote in this conversation.
    return (line?.epoch ?? 0) === Number(slot.line_epoch) ? slot : { missing: 'line-changed' };
  }

  /** The device that wrote, or those that its account has now. */
  async function devicesFor(slot: SlotRow): Promise<{ deviceId: string; publicKey: string }[]> {
    const own = await engine.devices.replyKey(slot.sender_device_id);
    if (own?.suite === HPKE_SUITE) return [{ deviceId: slot.sender_device_id, publicKey: own.publicKey }];
    const devices = await engine.devices.ofAccount(slot.sender_account_id);
    return devices.flatMap(({ deviceId, replyKey }) =>
      replyKey?.suite === HPKE_SUITE ? [{ deviceId, publicKey: replyKey.publicKey }] : [],
    );
  }

  async function deliver(row: InboundRow, slot: SlotRow): Promise<string | undefined> {
    if (row.content === 'binary') return 'not-text';
    const devices = await devicesFor(slot);
    if (devices.length === 0) return 'no-reply-key';
    const text = Buffer.from(keyWrap.unwrap(row.wrapped ?? '', `${INBOUND_PURPOSE}:${row.id}`)).toString('utf8');
    const receivedAt = toRfc3339(Number(row.received_at));
    const inReplyTo = slot.client_msg_id;
    let isQueued = false;
    for (const { deviceId, publicKey } of devices) {
      const sealed = await opener.sealReply({ deviceReplyKey: publicKey, deviceId, inReplyTo, receivedAt, text, from: row.sender });
      const body = JSON.stringify({ ...sealed, receivedAt, inReplyTo });
      // One id for each device: an answer that goes to several is not a repeat of itself.
      const id = devices.length === 1 ? row.id : `${row.id}.${deviceId}`;
      if (await engine.system.enqueue({ id, deviceId, kind: 'sms-reply', suite: HPKE_SUITE, body })) isQueued = true;
    }
    return isQueued ? undefined : 'device-gone';
  }

  /** What nobody answers with may be for an operator's own program. */
  async function handOver(row: InboundRow): Promise<string | undefined> {
    if (row.content === 'binary') return undefined;
    const text = Buffer.from(keyWrap.unwrap(row.wrapped ?? '', `${INBOUND_PURPOSE}:${row.id}`)).toString('utf8');
    return toEsme({ inboundId: row.id, partnerId: row.partner_id, from: row.sender, to: row.recipient, text });
  }

  return async function route(inboundId: string): Promise<void> {
    const [row] = await store.read<InboundRow>('SELECT * FROM sms_inbound WHERE id = $1', [inboundId]);
    if (row?.state !== 'received') return;
    const slot = await slotOf(row);
    const esme = 'missing' in slot && slot.missing === 'no-conversation' ? await handOver(row) : undefined;
    const reason = esme === undefined ? ('missing' in slot ? slot.missing : await deliver(row, slot)) : undefined;
    // Before the slot's conversation is known for certain, nothing of it may be told.
    const found = 'missing' in slot ? undefined : slot;
    const wallNow = clock.now();
    const event = replyEvent(
      {
        id: row.id,
        partnerId: row.partner_id,
        linkId: row.link_id,
        sender: row.sender,
        recipient: row.recipient,
        receivedAt: Number(row.received_at),
        market: found?.market ?? marketOf(row),
        inReplyToSmsId: found?.sms_id,
        fallbackId: found?.fallback_id,
        subscriptionId: found?.subscription_id ?? undefined,
        missingParts: Number(row.missing_parts),
        reason,
        esme,
      },
      wallNow,
    );
    const state = reason === undefined ? 'routed' : 'unmatched';
    const ended = await store.run(endInbound, {
      id: row.id,
      state,
      reason: reason ?? null,
      eventId: event.id,
      event: JSON.stringify(event),
      wallNow,
    });
    if (!ended) return;
    log.info({ inboundId: row.id, state, reason, systemId: esme }, 'inbound sms ended');
    wakeOutbox();
  };

  function marketOf(row: InboundRow): string | undefined {
    const markets = partners.get(row.partner_id)?.markets ?? [];
    return markets.find((market) => market.msisdnPrefixes.some((prefix) => row.sender.startsWith(prefix)))?.code;
  }
}
