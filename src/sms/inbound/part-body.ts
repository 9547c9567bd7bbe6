import { joinText, type PartContent, type WireText } from '../../smpp/index.js';

/** A part at rest, before it is encrypted: how to read it in three octets, then its own. Octets, not text: an SMSC may cut a character in two. */
export const writePart = ({ dataCoding, shift, octets }: PartContent): Buffer =>
  Buffer.concat([Buffer.from([dataCoding, shift.locking, shift.single]), octets]);

export function readPart(body: Buffer): PartContent {
  const [dataCoding = 0, locking = 0, single = 0] = body;
  return { dataCoding, shift: { locking, single }, octets: body.subarray(3) };
}

export interface ReadMessage {
  readonly content: 'text' | 'binary';
  /** The text in UTF-8, or the octets. */
  readonly body: Buffer;
}

/** What stands where parts are missing. No language needs to know it. */
const GAP = '[…]';

/** A message from its parts; one that never came, by its number from 1 to `total`, leaves a gap that the reader sees. */
export function readMessage(parts: ReadonlyMap<number, PartContent>, total: number, { defaultAlphabet }: WireText): ReadMessage {
  const words: string[] = [];
  let run: PartContent[] = [];
  const end = () => {
    const text = run.length === 0 ? '' : joinText(run, defaultAlphabet);
    run = [];
    if (text !== '') words.push(text ?? '');
    return text !== undefined;
  };
  let isText = true;
  for (let number = 1; number <= total; number++) {
    const part = parts.get(number);
    if (part) run.push(part);
    else {
      isText = end() && isText;
      if (words.at(-1) !== GAP) words.push(GAP);
    }
  }
  isText = end() && isText;
  if (isText) return { content: 'text', body: Buffer.from(words.join(' '), 'utf8') };
  const inOrder = [...parts].sort(([a], [b]) => a - b).map(([, { octets }]) => octets);
  return { content: 'binary', body: Buffer.concat(inOrder) };
}
