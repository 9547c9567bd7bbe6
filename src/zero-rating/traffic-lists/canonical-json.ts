/**
 * JSON in the one form of RFC 8785: members sorted by UTF-16 code units, no white space. Numbers and strings are
 * written as ECMAScript writes them, which is what the RFC took over.
 *
 * @param value what JSON.parse could have returned.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}
