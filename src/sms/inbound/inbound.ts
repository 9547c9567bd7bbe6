import { createHmac } from 'node:crypto';
import { newId } from '../../kernel/ids.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import type { SmppLink } from '../../partners/index.js';
import { type DefaultAlphabet, type DeliverSm, decodeText, messageContent, reassemblyKey } from '../../smpp/index.js';
import { comparable, msisdnFromWire } from '../addresses.js';
import type { SmsContext } from '../context.js';
import type { Bind, OperatorLink } from '../links/open-links.js';
import { insertInbound, insertInboundPart, joinInbound } from './operations.js';

export interface Inbound {
  /** Resolves once the message, or the part of one, is durable. A repeat of one that we have changes nothing. */
  take(link: OperatorLink, bind: Bind, pdu: DeliverSm): Promise<void>;
}

export interface InboundOptions {
  context: SmsContext;
  keyWrap: KeyWrap;
  /** Whether that session is up now: then our answers on it have arrived, and what looks the same is new. */
  isLive: (sessionId: string) => boolean | Promise<boolean>;
  /** Keys the hashes by which repeats are known, so that they say nothing of a text. */
  hashKey: Uint8Array;
  /** A whole message is durable. */
  onReceived: (inboundId: string) => void;
}

/** How long a message that looks like one before may be its repeat, when the link went down in between. */
export const REPEAT_MS = 600_000;

export const INBOUND_PURPOSE = 'sms-inbound';

/** Takes SMS from handsets: parts are joined, repeats are recognised, and nothing is at rest but encrypted. */
export function createInbound({ context, keyWrap, isLive, hashKey, onReceived }: InboundOptions): Inbound {
  const { store, clock, domainClock, serial, log } = context;

  const hash = (link: OperatorLink, pdu: DeliverSm): string =>
    createHmac('sha256', hashKey)
      .update(JSON.stringify([link.key, comparable(pdu.sourceAddr), comparable(pdu.destinationAddr), pdu.esmClass, pdu.dataCoding]))
      .update(pdu.shortMessage)
      .update(Buffer.concat(pdu.tlvs.flatMap(({ tag, value }) => [Buffer.from([tag >> 8, tag & 0xff]), value])))
      .digest('base64url');

  const isRepeat = async (row: { session_id: string } | undefined): Promise<boolean> =>
    row !== undefined && !(await isLive(row.session_id));

  function newInbound(link: OperatorLink, bind: Bind, pdu: DeliverSm, contentHash: string, text: string) {
    const id = newId('mo', clock.now());
    return {
      id,
      partnerId: link.partner.id,
      linkId: link.config.id,
      sender: msisdnFromWire(pdu.sourceAddr) ?? pdu.sourceAddr,
      recipient: recipientOf(pdu.destinationAddr, link),
      wrapped: keyWrap.wrap(Buffer.from(text, 'utf8'), `${INBOUND_PURPOSE}:${id}`),
      contentHash,
      sessionId: bind.sessionId(),
      receivedAt: domainClock.now(link.partner.id),
      heardAt: clock.now(),
    };
  }

  async function takeWhole(link: OperatorLink, bind: Bind, pdu: DeliverSm): Promise<void> {
    const contentHash = hash(link, pdu);
    const [same] = await store.read<{ session_id: string }>(
      'SELECT session_id FROM sms_inbound WHERE content_hash = $1 AND heard_at > $2 ORDER BY heard_at DESC LIMIT 1',
      [contentHash, clock.now() - REPEAT_MS],
    );
    if (await isRepeat(same)) {
      log.info({ linkId: link.config.id }, 'inbound sms repeated');
      return;
    }
    const { octets } = messageContent(pdu);
    const text = decodeText(octets, pdu.dataCoding, alphabetOf(link.config)) ?? '';
    const inbound = newInbound(link, bind, pdu, contentHash, text);
    await store.run(insertInbound, inbound);
    onReceived(inbound.id);
  }

  async function takePart(link: OperatorLink, bind: Bind, pdu: DeliverSm, key: string): Promise<void> {
    const { octets, concat } = messageContent(pdu);
    if (!concat) return takeWhole(link, bind, pdu);
    const groupKey = createHmac('sha256', hashKey).update(link.key).update(key).digest('base64url');
    const contentHash = hash(link, pdu);
    const [same] = await store.read<{ content_hash: string; session_id: string; inbound_id: string | null; heard_at: number }>(
      'SELECT content_hash, session_id, inbound_id, heard_at FROM sms_inbound_part WHERE group_key = $1 AND number = $2',
      [groupKey, concat.part],
    );
    if (same?.content_hash === contentHash && Number(same.heard_at) > clock.now() - REPEAT_MS) {
      // A part that still waits for the others is the same part; after the join only a link that went down repeats one.
      if (same.inbound_id === null || (await isRepeat(same))) {
        log.info({ linkId: link.config.id }, 'inbound part repeated');
        return;
      }
    }
    // Octets, not text: an SMSC may cut a character in two.
    const wrapped = keyWrap.wrap(Buffer.concat([Buffer.from([pdu.dataCoding]), octets]), partPurpose(groupKey, concat.part));
    await store.run(insertInboundPart, {
      groupKey,
      number: concat.part,
      total: concat.total,
      wrapped,
      contentHash,
      sessionId: bind.sessionId(),
      heardAt: clock.now(),
    });
    const parts = await store.read<{ number: number; wrapped: string }>(
      `SELECT number, wrapped FROM sms_inbound_part
       WHERE group_key = $1 AND total = $2 AND inbound_id IS NULL AND heard_at > $3 ORDER BY number`,
      [groupKey, concat.total, clock.now() - PARTS_WAIT_MS],
    );
    if (parts.length < concat.total) return;
    const contents = parts.map((part) => Buffer.from(keyWrap.unwrap(part.wrapped, partPurpose(groupKey, Number(part.number)))));
    const whole = Buffer.concat(contents.map((content) => content.subarray(1)));
    const text = decodeText(whole, contents[0]?.[0] ?? 0, alphabetOf(link.config)) ?? '';
    const inbound = newInbound(link, bind, pdu, contentHash, text);
    await store.run(joinInbound, { ...inbound, groupKey });
    onReceived(inbound.id);
  }

  return {
    take(link, bind, pdu) {
      // One handset's messages one after the other, so that parts which arrive together see each other.
      return serial.run(`mo ${link.key} ${comparable(pdu.sourceAddr)}`, () => {
        const key = reassemblyKey(pdu, messageContent(pdu));
        return key === undefined ? takeWhole(link, bind, pdu) : takePart(link, bind, pdu, key);
      });
    },
  };
}

/** Parts of one message come within minutes; a reference that was used a day ago is another message's. */
const PARTS_WAIT_MS = 86_400_000;

export const partPurpose = (groupKey: string, number: number): string => `${INBOUND_PURPOSE}-part:${groupKey}:${number}`;

const alphabetOf = ({ dataCodingDefault }: SmppLink): DefaultAlphabet => (dataCodingDefault === 'gsm0338' ? 'gsm0338' : 'latin1');

/** The sender of ours that was answered, as the inventory writes it, or the address as it came. */
function recipientOf(address: string, { partner }: OperatorLink): string {
  const own = partner.sms.senders.find((sender) => comparable(sender.address) === comparable(address));
  return own?.address ?? address.slice(0, 21);
}
