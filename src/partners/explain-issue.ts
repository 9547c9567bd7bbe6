import type { z } from 'zod';
import type { YamlPath } from './problem.js';

type Issue = z.core.$ZodIssue;

/** Turns what zod found into a path and a sentence with its fix; `value` is what was checked, and is never repeated. */
export function explainIssue(issue: Issue, value: unknown): { path: YamlPath; message: string }[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  const given = at(value, path);
  if (given === undefined && issue.code !== 'custom') return [{ path, message: 'is missing; fix: add it, as in _template/partner.yaml' }];
  if (issue.message.includes('; fix: ')) return [{ path, message: issue.message }];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: 'is not a known name; fix: remove it, or spell it as in _template/partner.yaml',
    }));
  }
  if (issue.code === 'invalid_key') {
    return [{ path, message: 'is not a known name; fix: remove it, or spell it as in _template/partner.yaml' }];
  }
  if (issue.code === 'invalid_union') {
    const branch = issue.errors.find(
      (issues) => !issues.some((inner) => inner.path.length === 0 && /^invalid_(type|value)$/.test(inner.code)),
    );
    if (branch) return branch.flatMap((inner) => explainIssue({ ...inner, path: [...path, ...inner.path] } as Issue, value));
    const words = issue.errors.flat().flatMap((inner) => (inner.code === 'invalid_value' ? inner.values.map(String) : []));
    if (words.length > 0) return [{ path, message: `must be ${words.join(', ')} or a mapping; fix: choose one` }];
  }
  return [{ path, message: sentence(issue, given) }];
}

function sentence(issue: Issue, given: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.expected === 'string' && typeof given === 'number') return 'must be text, not a number; fix: put it in quotes';
      return `must be ${NAMES[issue.expected] ?? issue.expected}; fix: write it as in _template/partner.yaml`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}; fix: choose one`;
    case 'too_small':
      return `must ${measure(issue.origin)} at least ${issue.minimum}${unit(issue.origin, issue.minimum)}; fix: ${repair(issue.origin, 'raise it', 'add to it')}`;
    case 'too_big':
      return `must ${measure(issue.origin)} at most ${issue.maximum}${unit(issue.origin, issue.maximum)}; fix: ${repair(issue.origin, 'lower it', 'shorten it')}`;
    default:
      return 'is not valid; fix: write it as in _template/partner.yaml';
  }
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
};

const isSized = (origin: string) => origin === 'string' || origin === 'array';
const measure = (origin: string) => (isSized(origin) ? 'have' : 'be');
const unit = (origin: string, count: number | bigint) => {
  const [one, many] = origin === 'string' ? [' character', ' characters'] : [' entry', ' entries'];
  return isSized(origin) ? (Number(count) === 1 ? one : many) : '';
};
const repair = (origin: string, ofNumber: string, ofSized: string) => (isSized(origin) ? ofSized : ofNumber);

function at(value: unknown, path: YamlPath): unknown {
  let node = value;
  for (const part of path) {
    if (typeof node !== 'object' || node === null) return undefined;
    node = (node as Record<string | number, unknown>)[part];
  }
  return node;
}
