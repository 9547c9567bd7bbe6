import { IntlMessageFormat } from 'intl-messageformat';
import { gsmSeptets } from '../smpp/index.js';

/** What a notice is measured with: the longest name and reference that the bridge puts in. */
const LONGEST = { senderName: 'N'.repeat(30), ref: 'W4W4' };

/**
 * What is wrong with a notice: it must be an ICU message with known arguments, name who wrote where it may, and fit into
 * one segment (3GPP TS 23.038).
 */
export function wrongWith(source: string, language: string, known: readonly string[]): string | undefined {
  let shown: string;
  try {
    const values = Object.fromEntries(Object.entries(LONGEST).filter(([name]) => known.includes(name)));
    shown = String(new IntlMessageFormat(source, language, undefined, { ignoreTag: true }).format(values));
  } catch {
    const may = known.length > 0 ? `uses other arguments than ${known.join(' and ')}` : 'uses an argument';
    return `is not an ICU message, or ${may}; fix: correct the braces`;
  }
  if (known.includes('senderName') && !shown.includes(LONGEST.senderName)) return 'does not say who wrote; fix: put {senderName} in';
  const septets = gsmSeptets(shown);
  const [length, longest, alphabet] = septets === undefined ? [shown.length, 70, 'UCS-2'] : [septets, 160, 'GSM 7-bit'];
  if (length <= longest) return undefined;
  return `takes ${length} of the ${longest} characters of one segment (${alphabet}, with a name of 30); fix: shorten it`;
}

/** What may be put in for an argument: any text, a number (also to choose a plural by), or an instant. */
export type ArgumentKind = 'text' | 'number' | 'instant';

/** An ICU message that was read once and is written many times. */
export interface IcuMessage {
  /** By name. */
  arguments: ReadonlyMap<string, ArgumentKind>;
  format(values: Readonly<Record<string, string | number | Date>>): string;
}

/** @returns undefined for a text that is no ICU message. */
export function readIcuMessage(source: string, language: string): IcuMessage | undefined {
  try {
    const message = new IntlMessageFormat(source, language, undefined, { ignoreTag: true });
    const kinds = new Map<string, ArgumentKind>();
    collect(message.getAst(), kinds);
    return { arguments: kinds, format: (values) => String(message.format(values)) };
  } catch {
    return undefined;
  }
}

type Ast = ReturnType<IntlMessageFormat['getAst']>;

/** The kinds of an ICU message's elements, as the parser numbers them; what is not here is plain text, or the # of a plural. */
const KINDS: ReadonlyMap<Ast[number]['type'], ArgumentKind> = new Map([
  [1, 'text'],
  [2, 'number'],
  [3, 'instant'],
  [4, 'instant'],
  [5, 'text'],
  [6, 'number'],
]);

function collect(elements: Ast, kinds: Map<string, ArgumentKind>): void {
  for (const element of elements) {
    const kind = KINDS.get(element.type);
    // A name that is a text in one place and a number in another must be what both can write.
    if (kind !== undefined && 'value' in element && kinds.get(element.value) !== 'number') kinds.set(element.value, kind);
    if ('options' in element) for (const option of Object.values(element.options)) collect(option.value, kinds);
  }
}
