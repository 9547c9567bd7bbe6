import { randomInt } from 'node:crypto';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { Sender } from '../../partners/index.js';
import { type MessageFields, type Segment, segments, type Tlv } from '../../smpp/index.js';
import { comparable } from '../addresses.js';
import type { SmsContext } from '../context.js';
import { type EsmeAccount, ownerOf } from './account.js';
import { insertDeliveries } from './delivery-operations.js';

/** An SMS from a handset that no conversation claims. */
export interface ForEsme {
  /** `mo_…`. */
  readonly inboundId: string;
  readonly partnerId: string;
  /** The handset, E.164 with `+`. */
  readonly from: string;
  /** The sender of ours that it was sent to, as the inventory writes it. */
  readonly to: string;
  readonly text: string;
}

/** How one PDU of it waits: this as it is, and what it says wrapped. */
interface KeptFields {
  readonly cause: string;
  readonly from: string;
  readonly to: string;
  readonly toType: Sender['type'];
  readonly esmClass: number;
  readonly dataCoding: number;
}

/** Octets as base64url. A text may be in a parameter, too. */
interface KeptContent {
  readonly shortMessage: string;
  readonly tlvs: readonly { readonly tag: number; readonly value: string }[];
}

export const deliveryPurpose = (cause: string): string => `esme-delivery:${cause}`;

/** Hands SMS from handsets to the ESME that owns the number. */
export interface EsmeMessages {
  /** Resolves once it is durable, encrypted. @returns the account's system_id, or undefined when no ESME owns the number. */
  take(message: ForEsme): Promise<string | undefined>;
}

/** @param onQueued something waits for the account. */
export function createEsmeMessages(
  { store, clock, partners }: Pick<SmsContext, 'store' | 'clock' | 'partners'>,
  keyWrap: KeyWrap,
  onQueued: (systemId: string) => void,
): EsmeMessages {
  function deliveryOf(account: EsmeAccount, message: ForEsme, toType: Sender['type'], segment: Segment, place: number) {
    const cause = `${message.inboundId}/${place}`;
    const { esmClass, dataCoding, tlvs } = segment;
    const content: KeptContent = { shortMessage: segment.shortMessage.toString('base64url'), tlvs: tlvs.map(keptTlv) };
    const fields: KeptFields = { cause, from: message.from, to: message.to, toType, esmClass, dataCoding };
    return {
      ...{ cause, systemId: account.config.systemId, partnerId: message.partnerId, kind: 'message' as const },
      fields: JSON.stringify(fields),
      wrapped: keyWrap.wrap(Buffer.from(JSON.stringify(content)), deliveryPurpose(cause)),
      heardAt: clock.now(),
    };
  }

  return {
    async take(message) {
      const partner = partners.get(message.partnerId);
      const account = partner && ownerOf(partner, message.to);
      const sender = partner?.sms.senders.find(({ address }) => comparable(address) === comparable(message.to));
      if (!account || !sender) return undefined;
      const { longMessages: method, dataCodingDefault: defaultAlphabet, systemId } = account.config;
      const reference = randomInt(0x1_0000);
      const body = segments(message.text, { method, reference, defaultAlphabet });
      const deliveries = body.segments.map((segment, place) => deliveryOf(account, message, sender.type, segment, place));
      await store.run(insertDeliveries, { deliveries });
      onQueued(systemId);
      return systemId;
    },
  };
}

const keptTlv = ({ tag, value }: Tlv) => ({ tag, value: value.toString('base64url') });

/** The deliver_sm of a PDU that waited. @throws when it cannot be opened. */
export function messagePdu(keyWrap: KeyWrap, fields: string, wrapped: string): MessageFields {
  const { cause, from, to, toType, esmClass, dataCoding } = JSON.parse(fields) as KeptFields;
  const opened = Buffer.from(keyWrap.unwrap(wrapped, deliveryPurpose(cause))).toString('utf8');
  const { shortMessage, tlvs } = JSON.parse(opened) as KeptContent;
  return {
    sourceAddrTon: 1,
    sourceAddrNpi: 1,
    sourceAddr: from.replace(/^\+/, ''),
    // 3 is "network specific", which short codes are (SMPP 3.4 §5.2.5).
    destAddrTon: toType === 'shortcode' ? 3 : 1,
    destAddrNpi: toType === 'shortcode' ? 0 : 1,
    destinationAddr: to.replace(/^\+/, ''),
    esmClass,
    dataCoding,
    shortMessage: Buffer.from(shortMessage, 'base64url'),
    tlvs: tlvs.map(({ tag, value }) => ({ tag, value: Buffer.from(value, 'base64url') })),
  };
}
