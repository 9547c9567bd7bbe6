/** What the text of a receipt says, as it is written there. */
export interface ReceiptText {
  readonly id?: string;
  readonly sub?: string;
  readonly delivered?: string;
  /** Digits alone: `YYMMDDhhmm`, `YYMMDDhhmmss` or `YYYYMMDDhhmmss`. */
  readonly doneDate?: string;
  readonly state?: string;
  readonly error?: string;
}

/** A word of the text that names a value, with how vendors write it beside SMPP 3.4 Appendix B. */
const KEYS: readonly (readonly [name: keyof ReceiptText | undefined, key: RegExp])[] = [
  ['id', /^(?:(?:message|msg|sms)[ _-]?)?id$/],
  ['sub', /^sub(?:mitted)?$/],
  ['delivered', /^(?:dlvrd|delivered|dlv)$/],
  [undefined, /^(?:submit|sub)[ _-]?date$/],
  ['doneDate', /^done[ _-]?date$/],
  ['state', /^(?:message[ _-]?)?stat(?:e|us)?$/],
  ['error', /^err(?:or)?(?:[ _-]?code)?$/],
];

/** One or two words and a colon or an equals sign; what comes next is its value. */
const KEY =
  /(?:^|(?<=[\s,;|]))((?:(?:submit|sub|done|message|msg|sms|err|error)[ _-](?:date|id|stat|state|status|code)|[a-z][a-z0-9_-]{0,30}))[ \t]*[:=][ \t]*/gi;

/** A value that has said all it can; more words behind it are not the receipt's, but the user's. */
const VALUES: Readonly<Record<keyof ReceiptText, RegExp>> = {
  id: /^[^,;|]{1,65}/,
  sub: /^\d{1,5}/,
  delivered: /^\d{1,5}/,
  doneDate: /^\d[\d :/.T-]{4,30}/,
  state: /^(?:[A-Za-z]{1,20}|[1-8](?!\d))/,
  error: /^[0-9A-Za-z._-]{1,16}/,
};

const LENGTH_MAX = 512;

/**
 * Reads the text of a receipt (SMPP 3.4 Appendix B), tolerant of case, order, separators, missing keys and keys of vendors. What the
 * user wrote is never read: it begins at `text:`, or where a vendor leaves that out, behind the first value that more words follow.
 * Of a key that is there twice the first holds.
 */
export function readReceiptText(whole: string): ReceiptText {
  const head = whole.slice(0, LENGTH_MAX);
  const keys = [...head.matchAll(KEY)];
  const read: Partial<Record<keyof ReceiptText, string>> = {};
  for (const [index, match] of keys.entries()) {
    const word = (match[1] ?? '').toLowerCase();
    if (word === 'text') break;
    const found = KEYS.find(([, key]) => key.test(word));
    const value = head.slice(match.index + match[0].length, keys[index + 1]?.index ?? head.length).trim();
    const name = found?.[0];
    if (name === undefined) {
      // A vendor's own key. Once the state was told, one of several words is the user's.
      if (!found && read.state !== undefined && /\s/.test(value)) break;
      continue;
    }
    const taken = VALUES[name].exec(value)?.[0].trim();
    const isLast = index === keys.length - 1;
    if (taken !== undefined && taken !== '') read[name] ??= readValue(name, taken, isLast);
    if (taken !== undefined && name !== 'id' && /[^\s,;|]/.test(value.slice(taken.length))) break;
  }
  return read;
}

function readValue(name: keyof ReceiptText, taken: string, isLast: boolean): string {
  if (name === 'doneDate') return taken.replace(/\D/g, '').slice(0, 14);
  // An id may have a space in it only where another key shows where it ends.
  return name === 'id' && isLast ? (taken.split(/\s/, 1)[0] ?? taken) : taken;
}
