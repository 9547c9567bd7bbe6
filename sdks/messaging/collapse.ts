import type { SdkClock } from './clock.js';

/** A fallback fires at most 12 h after the message, and the operator may keep trying for two days. */
const WINDOW_MS = 72 * 3_600_000;
const LIMIT = 4_096;

/** Splits `<text> #<REF>`, as a fallback SMS reads, or returns `undefined` when there is no reference at its end. */
export function parseSmsRef(sms: string): { text: string; ref: string } | undefined {
  const match = /^([\s\S]*?)\s*#([0-9A-HJKMNP-TV-Z]{4})\s*$/.exec(sms);
  return match?.[1] !== undefined && match[2] !== undefined ? { text: match[1], ref: match[2] } : undefined;
}

export interface Collapse {
  /** Notes the app copy; true when its SMS has already come. */
  noteMessage(ref: string, clientMsgId: string): boolean;
  /** Notes the SMS copy; the message it belongs to, when that has already come. */
  noteSms(ref: string): string | undefined;
}

/** Pairs the app copy and the SMS copy of one message by their reference, whichever comes first. */
export function createCollapse(clock: SdkClock): Collapse {
  const messages = new Map<string, { clientMsgId: string; at: number }>();
  const sms = new Map<string, { at: number }>();

  function put<T extends { at: number }>(map: Map<string, T>, ref: string, value: T): void {
    map.delete(ref);
    map.set(ref, value);
    for (const oldest of map.keys()) {
      if (map.size <= LIMIT) break;
      map.delete(oldest);
    }
  }
  function fresh<T extends { at: number }>(map: Map<string, T>, ref: string): T | undefined {
    const found = map.get(ref);
    return found && clock.now() - found.at <= WINDOW_MS ? found : undefined;
  }

  return {
    noteMessage(ref, clientMsgId) {
      put(messages, ref, { clientMsgId, at: clock.now() });
      return fresh(sms, ref) !== undefined;
    },
    noteSms(ref) {
      put(sms, ref, { at: clock.now() });
      return fresh(messages, ref)?.clientMsgId;
    },
  };
}
