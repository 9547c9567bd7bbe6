/** What a character costs, in the unit that a part's capacity is counted in: septets, or UTF-16 units. */
export type CostOf = (unit: number) => number;

export interface SplitOptions {
  readonly capacity: number;
  readonly costOf: CostOf;
  /** Keeps what a reader takes for one character (a letter with its marks, an emoji of several) in one part, where it fits into one. */
  readonly keepsGraphemes: boolean;
}

let graphemes: Intl.Segmenter | undefined;

/**
 * Cuts a well-formed text into as few parts as hold it, at least one. A surrogate pair is never cut; neither is a grapheme
 * (Unicode UAX #29), unless it is longer than a part.
 */
export function splitText(text: string, { capacity, costOf, keepsGraphemes }: SplitOptions): string[] {
  const parts: string[] = [];
  let clusters: Intl.Segments | undefined;
  let from = 0;
  let used = 0;
  for (let i = 0; i < text.length; ) {
    const unit = text.charCodeAt(i);
    const isPair = unit >= 0xd800 && unit <= 0xdbff;
    const cost = costOf(unit) * (isPair ? 2 : 1);
    if (used + cost > capacity) {
      let cut = i;
      if (keepsGraphemes) {
        graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
        clusters ??= graphemes.segment(text);
        const start = clusters.containing(i)?.index ?? i;
        if (start > from) cut = start;
      }
      parts.push(text.slice(from, cut));
      from = cut;
      used = 0;
      i = cut;
      continue;
    }
    used += cost;
    i += isPair ? 2 : 1;
  }
  parts.push(text.slice(from));
  return parts;
}
