import type { FieldError } from '../kernel/errors.js';
import { isSpecObject, type SpecObject } from './contract.js';
import { pointerTo } from './strict-json.js';

/** A caller can fix a few at a time; the rest shows at the next try. */
const ERRORS_MAX = 50;

/**
 * Names what is wrong with a body that the validator has refused, in the words of the caller's own choice: where the
 * schema has a discriminator, the branch that the body names is the one that is explained. The validator reports every
 * branch there, and does not escape the names of members (traps.md).
 *
 * @returns nothing when the fault is one that only the validator knows; its own words serve then.
 */
export function explainBody(schema: SpecObject, body: unknown, resolve: (node: unknown) => SpecObject): FieldError[] {
  const errors: FieldError[] = [];
  explain(schema, body, []);
  return errors;

  function report(steps: readonly (string | number)[], code: string, message: string): undefined {
    if (errors.length >= ERRORS_MAX) return;
    const pointer = pointerTo(steps);
    if (!errors.some((error) => error.pointer === pointer && error.code === code)) errors.push({ pointer, code, message });
  }

  function explain(node: unknown, value: unknown, steps: readonly (string | number)[]): undefined {
    const rule = resolve(node);
    if (value === null && rule['nullable'] === true) return;
    for (const part of listOf(rule['allOf'])) explain(part, value, steps);
    const branches = [...listOf(rule['oneOf']), ...listOf(rule['anyOf'])];
    if (branches.length > 0) explainBranch(rule, branches, value, steps);
    if (!fitsType(rule['type'], value)) return report(steps, 'type', `must be ${nameOfType(rule['type'])}`);
    const choices = listOf(rule['enum']);
    if (choices.length > 0 && !choices.includes(value)) return report(steps, 'enum', `must be one of: ${choices.join(', ')}`);
    if (typeof value === 'string') explainString(rule, value, steps);
    else if (typeof value === 'number') explainNumber(rule, value, steps);
    else if (Array.isArray(value)) explainArray(rule, value, steps);
    else if (isSpecObject(value)) explainObject(rule, value, steps);
  }

  function explainBranch(rule: SpecObject, branches: readonly unknown[], value: unknown, steps: readonly (string | number)[]): undefined {
    const discriminator = isSpecObject(rule['discriminator']) ? rule['discriminator'] : undefined;
    const member = discriminator?.['propertyName'];
    if (typeof member === 'string' && isSpecObject(value)) {
      const named = value[member];
      if (named === undefined) return report([...steps, member], 'required', 'is required');
      const mapping = isSpecObject(discriminator?.['mapping']) ? discriminator['mapping'] : {};
      const names = branches.map((branch) => branchNames(branch, member, mapping));
      const chosen = branches[names.findIndex((candidates) => typeof named === 'string' && candidates.includes(named))];
      if (chosen === undefined) return report([...steps, member], 'enum', `must be one of: ${names.flat().join(', ')}`);
      return explain(chosen, value, steps);
    }
    const fitting = branches.filter((branch) => fitsType(resolve(branch)['type'], value));
    if (fitting.length === 1) explain(fitting[0], value, steps);
    const types = new Set(branches.map((branch) => nameOfType(resolve(branch)['type'])));
    if (fitting.length === 0) report(steps, 'type', `must be ${[...types].join(' or ')}`);
  }

  /** What the discriminator may say to choose this branch (OpenAPI 3.0.3, Discriminator Object). */
  function branchNames(branch: unknown, member: string, mapping: SpecObject): string[] {
    const reference = isSpecObject(branch) ? branch['$ref'] : undefined;
    const name = typeof reference === 'string' ? reference.slice(reference.lastIndexOf('/') + 1) : undefined;
    const mapped = Object.keys(mapping).filter((key) => mapping[key] === reference || mapping[key] === name);
    if (mapped.length > 0) return mapped;
    const properties = resolve(branch)['properties'];
    const tag = isSpecObject(properties) ? listOf(resolve(properties[member])['enum']).map(String) : [];
    return tag.length > 0 || name === undefined ? tag : [name];
  }

  function explainString(rule: SpecObject, value: string, steps: readonly (string | number)[]): undefined {
    const { minLength, maxLength, pattern } = rule as { minLength?: number; maxLength?: number; pattern?: string };
    const length = Array.from(value).length;
    if (minLength !== undefined && length < minLength) report(steps, 'minLength', `must have at least ${minLength} characters`);
    if (maxLength !== undefined && length > maxLength) report(steps, 'maxLength', `must have at most ${maxLength} characters`);
    else if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) report(steps, 'pattern', `must match ${pattern}`);
  }

  function explainNumber(rule: SpecObject, value: number, steps: readonly (string | number)[]): undefined {
    const { minimum, maximum } = rule as { minimum?: number; maximum?: number };
    if (minimum !== undefined && value < minimum) report(steps, 'minimum', `must be at least ${minimum}`);
    if (maximum !== undefined && value > maximum) report(steps, 'maximum', `must be at most ${maximum}`);
  }

  function explainArray(rule: SpecObject, value: readonly unknown[], steps: readonly (string | number)[]): undefined {
    const { minItems, maxItems } = rule as { minItems?: number; maxItems?: number };
    if (minItems !== undefined && value.length < minItems) report(steps, 'minItems', `must have at least ${minItems} items`);
    if (maxItems !== undefined && value.length > maxItems) return report(steps, 'maxItems', `must have at most ${maxItems} items`);
    if (rule['items'] === undefined) return;
    for (const [index, item] of value.entries()) {
      if (errors.length >= ERRORS_MAX) return;
      explain(rule['items'], item, [...steps, index]);
    }
  }

  function explainObject(rule: SpecObject, value: SpecObject, steps: readonly (string | number)[]): undefined {
    const properties = isSpecObject(rule['properties']) ? rule['properties'] : {};
    for (const name of listOf(rule['required'])) {
      if (!Object.hasOwn(value, String(name))) report([...steps, String(name)], 'required', 'is required');
    }
    for (const [name, member] of Object.entries(value)) {
      if (errors.length >= ERRORS_MAX) return;
      if (Object.hasOwn(properties, name)) explain(properties[name], member, [...steps, name]);
      else if (rule['additionalProperties'] === false)
        report([...steps, name], 'additionalProperties', 'is not a member that is known here');
      else if (isSpecObject(rule['additionalProperties'])) explain(rule['additionalProperties'], member, [...steps, name]);
    }
  }
}

const listOf = (node: unknown): readonly unknown[] => (Array.isArray(node) ? node : []);

function fitsType(type: unknown, value: unknown): boolean {
  switch (type) {
    case 'object':
      return isSpecObject(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
    default:
      return true;
  }
}

const nameOfType = (type: unknown): string => `${/^[aeio]/.test(String(type)) ? 'an' : 'a'} ${String(type)}`;
