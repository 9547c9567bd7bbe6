import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { YamlPath } from './problem.js';
import { shownPath } from './problem.js';

/** Where a text came from. A literal secret, and in production a default one, is refused. */
export type Origin = 'literal' | 'reference' | 'default';

export interface Resolved {
  value: unknown;
  /** By shown path, for the texts that hold a reference; every other text is literal. */
  origins: ReadonlyMap<string, Origin>;
  /** Paths whose reference led nowhere: their value is a stand-in, and only this is said about it. */
  unresolved: ReadonlyMap<string, { path: YamlPath; message: string }>;
}

const REFERENCE = /\$\{([^}]*)\}/g;
const ENV = /^env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;
const FILE = /^file:(.+)$/;
const FILE_OCTETS_MAX = 65_536;

/**
 * Replaces `${env:NAME}`, `${env:NAME:-default}` and `${file:path}` in every text of `value`. A variable that is empty counts
 * as not set; a file's line breaks at its end are dropped; a relative path starts at `folder`. Keys are left alone.
 */
export function resolveReferences(value: unknown, folder: string, env: Readonly<Record<string, string | undefined>>): Resolved {
  const origins = new Map<string, Origin>();
  const unresolved = new Map<string, { path: YamlPath; message: string }>();

  function text(source: string, path: YamlPath): string {
    let origin: Origin = 'literal';
    const result = source.replace(REFERENCE, (_whole, inner: string) => {
      const found = follow(inner, folder, env);
      if ('message' in found) {
        unresolved.set(shownPath(path), { path, message: found.message });
        return '';
      }
      if (origin !== 'default') origin = found.origin;
      return found.text;
    });
    if (origin !== 'literal') origins.set(shownPath(path), origin);
    return result;
  }
  function walk(node: unknown, path: YamlPath): unknown {
    if (typeof node === 'string') return text(node, path);
    if (Array.isArray(node)) return node.map((item: unknown, index) => walk(item, [...path, index]));
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, walk(item, [...path, key])]));
  }
  return { value: walk(value, []), origins, unresolved };
}

type Followed = { text: string; origin: Origin } | { message: string };

function follow(inner: string, folder: string, env: Readonly<Record<string, string | undefined>>): Followed {
  const variable = ENV.exec(inner);
  if (variable) {
    const [, name = '', standIn] = variable;
    const value = env[name];
    if (value !== undefined && value !== '') return { text: value, origin: 'reference' };
    if (standIn !== undefined) return { text: standIn, origin: 'default' };
    return { message: `refers to the environment variable ${name}, which is not set; fix: set it before the start` };
  }
  const path = FILE.exec(inner)?.[1];
  if (path !== undefined) {
    try {
      const file = resolve(folder, path);
      if (!statSync(file).isFile() || statSync(file).size > FILE_OCTETS_MAX) {
        return { message: `refers to ${path}, which is not a file of at most 64 KiB; fix: name the file itself` };
      }
      return { text: readFileSync(file, 'utf8').replace(/[\r\n]+$/, ''), origin: 'reference' };
    } catch {
      return { message: `refers to the file ${path}, which cannot be read; fix: put it there, readable by this user` };
    }
  }
  return { message: 'holds a reference of an unknown form; fix: begin it with env: or file:' };
}
