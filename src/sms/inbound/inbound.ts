import { createHmac } from 'node:crypto';
import { newId } from '../../kernel/ids.js';
import type { KeyWrap } from '../../kernel/key-wrap.js';
import { type MessagePdu, messageContent, reassemblyKey } from '../../smpp/index.js';
import { comparable, msisdnFromWire } from '../addresses.js';
import type { SmsContext } from '../context.js';
import type { Bind, OperatorLink } from '../links/open-links.js';
import { wireText } from '../links/wire-text.js';
import { insertInbound, insertInboundPart } from './operations.js';
import { type ReadMessage, readMessage, writePart } from './part-body.js';
import { INBOUND_PURPOSE, partPurpose } from './purposes.js';
import { createReassembly, type InboundPlace } from './reassembly.js';

/** A deliver_sm or a data_sm. */
export type MoPdu = MessagePdu & { readonly sourceAddr: string; readonly destinationAddr: string };

export interface Inbound {
  /** Resolves once the message, or the part of one, is durable. A repeat of one that we have changes nothing. */
  take(link: OperatorLink, bind: Bind, pdu: MoPdu): Promise<void>;
  /** Delivers what came of messages whose rest has not come in time, marked as incomplete. */
  endIncomplete(): Promise<void>;
}

export interface InboundOptions {
  context: SmsContext;
  keyWrap: KeyWrap;
  /** Whether that session is up now: then our answers on it have arrived, and what looks the same is new. */
  isLive: (sessionId: string) => boolean | Promise<boolean>;
  /** Keys the hashes by which repeats are known, so that they say nothing of a text. */
  hashKey: Uint8Array;
  /** A message is durable. */
  onReceived: (inboundId: string) => void;
}

/** How long a message that looks like one before may be its repeat, when the link went down in between. */
export const REPEAT_MS = 600_000;

/** Takes SMS from handsets: parts are joined, repeats are recognised, and nothing is at rest but encrypted. */
export function createInbound({ context, keyWrap, isLive, hashKey, onReceived }: InboundOptions): Inbound {
  const { store, clock, domainClock, serial, log } = context;
  const reassembly = createReassembly({ context, keyWrap, newInbound, onReceived });

  const hash = (link: OperatorLink, pdu: MoPdu): string =>
    createHmac('sha256', hashKey)
      .update(JSON.stringify([link.key, comparable(pdu.sourceAddr), comparable(pdu.destinationAddr), pdu.esmClass, pdu.dataCoding]))
      .update(pdu.shortMessage ?? Buffer.alloc(0))
      .update(Buffer.concat(pdu.tlvs.flatMap(({ tag, value }) => [Buffer.from([tag >> 8, tag & 0xff]), value])))
      .digest('base64url');

  const isRepeat = async (row: { session_id: string } | undefined): Promise<boolean> =>
    row !== undefined && !(await isLive(row.session_id));

  const placeOf = (link: OperatorLink, bind: Bind, pdu: MoPdu): InboundPlace => ({
    partnerId: link.partner.id,
    linkId: link.config.id,
    sender: msisdnFromWire(pdu.sourceAddr) ?? pdu.sourceAddr,
    recipient: recipientOf(pdu.destinationAddr, link),
    sessionId: bind.sessionId(),
    contentHash: hash(link, pdu),
  });

  function newInbound(place: InboundPlace, { content, body }: ReadMessage, missingParts: number) {
    const id = newId('mo', clock.now());
    const wrapped = keyWrap.wrap(body, `${INBOUND_PURPOSE}:${id}`);
    return { id, ...place, content, missingParts, wrapped, receivedAt: domainClock.now(place.partnerId), heardAt: clock.now() };
  }

  async function takeWhole(link: OperatorLink, bind: Bind, pdu: MoPdu): Promise<void> {
    const place = placeOf(link, bind, pdu);
    const [same] = await store.read<{ session_id: string }>(
      'SELECT session_id FROM sms_inbound WHERE content_hash = $1 AND heard_at > $2 ORDER BY heard_at DESC LIMIT 1',
      [place.contentHash, clock.now() - REPEAT_MS],
    );
    if (await isRepeat(same)) {
      log.info({ linkId: link.config.id }, 'inbound sms repeated');
      return;
    }
    const wire = wireText(link.config);
    const inbound = newInbound(place, readMessage(new Map([[1, messageContent(pdu, wire)]]), 1, wire), 0);
    await store.run(insertInbound, inbound);
    onReceived(inbound.id);
  }

  async function takePart(link: OperatorLink, bind: Bind, pdu: MoPdu, key: string): Promise<void> {
    const content = messageContent(pdu, wireText(link.config));
    const { concat } = content;
    if (!concat) return takeWhole(link, bind, pdu);
    const groupKey = createHmac('sha256', hashKey).update(link.key).update(key).digest('base64url');
    const place = placeOf(link, bind, pdu);
    const [same] = await store.read<{ content_hash: string; session_id: string; inbound_id: string | null; heard_at: number }>(
      'SELECT content_hash, session_id, inbound_id, heard_at FROM sms_inbound_part WHERE group_key = $1 AND number = $2',
      [groupKey, concat.part],
    );
    if (same?.content_hash === place.contentHash && Number(same.heard_at) > clock.now() - REPEAT_MS) {
      // A part that still waits for the others is the same part; after the join only a link that went down repeats one.
      if (same.inbound_id === null || (await isRepeat(same))) {
        log.info({ linkId: link.config.id }, 'inbound part repeated');
        return;
      }
    }
    // Another text in its place: the reference was used again, and the rest of the message before will not come.
    if (same?.inbound_id === null) await reassembly.join(groupKey, concat.total, 'incomplete');
    const wrapped = keyWrap.wrap(writePart(content), partPurpose(groupKey, concat.part));
    const { part: number, total } = concat;
    await store.run(insertInboundPart, { groupKey, number, total, ...place, wrapped, heardAt: clock.now() });
    await reassembly.join(groupKey, total, 'complete');
  }

  /** One handset's messages one after the other, so that parts which arrive together see each other. */
  const inTurn = <T>(key: string, sender: string, work: () => Promise<T>): Promise<T> =>
    serial.run(`mo ${key} ${comparable(sender)}`, work);

  return {
    take(link, bind, pdu) {
      return inTurn(link.key, pdu.sourceAddr, () => {
        const key = reassemblyKey(pdu, messageContent(pdu));
        return key === undefined ? takeWhole(link, bind, pdu) : takePart(link, bind, pdu, key);
      });
    },
    async endIncomplete() {
      for (const { groupKey, total, linkKey, sender } of await reassembly.overdue()) {
        await inTurn(linkKey, sender, () => reassembly.join(groupKey, total, 'overdue'));
      }
    },
  };
}

/** The sender of ours that was answered, as the inventory writes it, or the address as it came. */
function recipientOf(address: string, { partner }: OperatorLink): string {
  const own = partner.sms.senders.find((sender) => comparable(sender.address) === comparable(address));
  return own?.address ?? address.slice(0, 21);
}
