import { type Document, isAlias, isMap, isNode, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { Problem, YamlPath } from './problem.js';

/** A YAML text with the line of each of its values. */
export interface YamlFile {
  /** The name that errors show. */
  file: string;
  value: unknown;
  /** The line of a key or list item; of the nearest one that is there when it is not. */
  lineOf(path: YamlPath): number;
}

/** Far above any partner.yaml; a larger file is a mistake. */
export const YAML_OCTETS_MAX = 1_048_576;

/** A partner.yaml is at most 7 deep. */
const DEPTH_MAX = 16;

const isDeeperThan = (value: unknown, depth: number): boolean =>
  typeof value === 'object' && value !== null && (depth === 0 || Object.values(value).some((item) => isDeeperThan(item, depth - 1)));

/** @returns the file, or what keeps it from being read. YAML 1.2: `off` and `no` are words, `00101` without quotes is a number. */
export function readYaml(file: string, text: string): { yaml: YamlFile } | { problems: Problem[] } {
  const counter = new LineCounter();
  const problem = (line: number, message: string): { problems: Problem[] } => ({ problems: [{ file, line, path: [], message }] });
  if (text.length > YAML_OCTETS_MAX) return problem(0, 'is larger than 1 MiB; fix: keep data and keys in files of their own');
  let document: Document;
  let value: unknown;
  try {
    document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
    if (document.errors.length > 0) {
      return {
        problems: document.errors.map((error) => ({
          file,
          line: counter.linePos(error.pos[0]).line,
          path: [],
          message: `is not YAML (${error.code.toLowerCase().replaceAll('_', ' ')}); fix: correct the line`,
        })),
      };
    }
    value = document.toJS({ maxAliasCount: 50 });
    if (isDeeperThan(value, DEPTH_MAX)) throw new RangeError('nested too deep');
  } catch {
    return problem(0, 'cannot be read as YAML: it is nested too deep or refers to itself; fix: write it out plainly');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return problem(1, 'must be a mapping of names to values; fix: begin from _template/');
  }
  return { yaml: { file, value, lineOf: (path) => lineOf(document, counter, path) } };
}

function lineOf(document: Document, counter: LineCounter, path: YamlPath): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const part of path) {
    const target: unknown = isAlias(node) ? node.resolve(document) : node;
    let next: Node | Pair | undefined;
    if (isMap(target)) next = target.items.find((pair) => String(pair.key) === String(part)) as Pair | undefined;
    else if (isSeq(target) && typeof part === 'number') next = isNode(target.items[part]) ? target.items[part] : undefined;
    if (next === undefined) break;
    const place = isNode(next) ? next : next.key;
    offset = isNode(place) ? (place.range?.[0] ?? offset) : offset;
    node = isNode(next) ? next : next.value;
  }
  return counter.linePos(offset).line;
}
