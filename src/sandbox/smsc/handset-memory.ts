import type { Concatenation } from './short-message.js';
import type { Page, ReceivedMessage, SubmittedPart } from './types.js';

/** One accepted `submit_sm`, as plain data so that it can be written down. */
export interface AcceptedPart extends SubmittedPart {
  text: string;
  concatenation?: Concatenation;
}

export interface HandsetMemory {
  /** Takes an accepted part. @returns the message that it completed, if its handset has it whole now. */
  accept(part: AcceptedPart): ReceivedMessage | undefined;
  received(page: Page): ReceivedMessage[];
  submitted(page: Page): SubmittedPart[];
  /** Every part that is still kept, oldest first: enough to build this memory again. */
  parts(): readonly AcceptedPart[];
}

const RECEIVED_MAX = 10_000;
const SUBMITTED_MAX = 20_000;
const UNJOINED_MAX = 1_000;
/** A reference is used again sooner or later: parts older than this never join a newer one. */
const JOIN_WITHIN_MS = 300_000;

/** Trimmed only once in a while, so that each push stays cheap. */
function pushBounded<T>(list: T[], item: T, max: number): void {
  list.push(item);
  if (list.length >= max + 1_000) list.splice(0, list.length - max);
}

function pageOf<T extends { smscMessageId: string }>(list: readonly T[], { after, limit }: Page, max: number): T[] {
  const kept = list.slice(-max);
  const seen = after === undefined ? -1 : kept.findLastIndex((item) => item.smscMessageId === after);
  return kept.slice(seen + 1, seen + 1 + Math.max(0, limit));
}

/** The operator's memory of what it accepted, and its handsets' inboxes: parts joined per account, sender, handset and reference. */
export function createHandsetMemory(): HandsetMemory {
  const received: ReceivedMessage[] = [];
  const accepted: AcceptedPart[] = [];
  const unjoined = new Map<string, { since: number; parts: Map<number, AcceptedPart> }>();

  function whole(parts: readonly AcceptedPart[], last: AcceptedPart): ReceivedMessage {
    const message: ReceivedMessage = {
      smscMessageId: parts[0]?.smscMessageId ?? last.smscMessageId,
      partIds: parts.map((part) => part.smscMessageId),
      partnerSystemId: last.partnerSystemId,
      from: last.from,
      to: last.to,
      text: parts.map((part) => part.text).join(''),
      parts: parts.length,
      receivedAt: last.submittedAt,
      ...(last.concatenation && { ref: last.concatenation.ref }),
    };
    pushBounded(received, message, RECEIVED_MAX);
    return message;
  }

  function join(part: AcceptedPart): ReceivedMessage | undefined {
    const { concatenation } = part;
    if (!concatenation) return whole([part], part);
    const key = JSON.stringify([part.partnerSystemId, part.from, part.to, concatenation.ref, concatenation.total]);
    const found = unjoined.get(key);
    const isFresh = found && part.submittedAt - found.since <= JOIN_WITHIN_MS;
    const waiting = isFresh ? found : { since: part.submittedAt, parts: new Map<number, AcceptedPart>() };
    waiting.parts.set(concatenation.seq, part);
    unjoined.delete(key);
    if (waiting.parts.size === concatenation.total) {
      const inOrder = [...waiting.parts].sort(([a], [b]) => a - b).map(([, each]) => each);
      return whole(inOrder, part);
    }
    unjoined.set(key, waiting);
    const [oldest] = unjoined.keys();
    if (unjoined.size > UNJOINED_MAX && oldest !== undefined) unjoined.delete(oldest);
    return undefined;
  }

  return {
    accept(part) {
      pushBounded(accepted, part, SUBMITTED_MAX);
      return part.outcome === 'delivered' ? join(part) : undefined;
    },
    received: (page) => pageOf(received, page, RECEIVED_MAX),
    submitted: (page) =>
      pageOf(accepted, page, SUBMITTED_MAX).map(({ smscMessageId, partnerSystemId, from, to, outcome, submittedAt }) => {
        return { smscMessageId, partnerSystemId, from, to, outcome, submittedAt };
      }),
    parts: () => accepted.slice(-SUBMITTED_MAX),
  };
}
