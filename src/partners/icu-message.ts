import { IntlMessageFormat } from 'intl-messageformat';
import { gsmSeptets } from '../smpp/index.js';

/** The names of an ICU message's arguments, in order of the alphabet; undefined when it is none. */
export function argumentsOf(source: string, language: string): string[] | undefined {
  try {
    const names = new Set<string>();
    collect(new IntlMessageFormat(source, language, undefined, { ignoreTag: true }).getAst(), names);
    return [...names].sort();
  } catch {
    return undefined;
  }
}

type Ast = ReturnType<IntlMessageFormat['getAst']>;

/** Elements of an ICU message that are no arguments: plain text, and the # of a plural. */
const LITERAL: Ast[number]['type'] = 0;
const POUND: Ast[number]['type'] = 7;

function collect(elements: Ast, names: Set<string>): void {
  for (const element of elements) {
    if (element.type !== LITERAL && element.type !== POUND && 'value' in element) names.add(element.value);
    if ('options' in element) for (const option of Object.values(element.options)) collect(option.value, names);
  }
}

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
