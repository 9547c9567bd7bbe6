/**
 * BCP 47 look-up (RFC 4647 §3.4): `pt-BR` finds `pt-BR`, then `pt`; a subtag of one character goes with what follows it.
 *
 * @param tags what there is. @returns the tag as it is written there.
 */
export function lookUpLanguage(tags: readonly string[], wanted: string): string | undefined {
  const byTag = new Map(tags.map((tag) => [tag.toLowerCase(), tag]));
  let range = wanted.toLowerCase();
  while (range !== '') {
    const tag = byTag.get(range);
    if (tag !== undefined) return tag;
    range = range.slice(0, Math.max(0, range.lastIndexOf('-'))).replace(/-[a-z0-9]$/, '');
  }
  return undefined;
}
