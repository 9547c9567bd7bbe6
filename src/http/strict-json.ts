import { GatewayError, invalidField } from '../kernel/errors.js';

/** Deeper than anything in the contract, shallow enough for every recursive reader behind us. */
const DEPTH_MAX = 64;

/**
 * Reads a JSON text (RFC 8259) as this gateway takes it: UTF-8 without a byte order mark, at most 64 levels deep, and
 * each member of an object named once, since two readers may disagree about which of two counts.
 *
 * @throws GatewayError `INVALID_ARGUMENT` with the pointer "" (not JSON, too deep) or the repeated member's.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed('the body is not UTF-8');
  }
  checkStructure(text);
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('the body is not well-formed JSON');
  }
}

const malformed = (message: string): GatewayError =>
  new GatewayError('INVALID_ARGUMENT', {
    detail: `The request is not valid: ${message}.`,
    errors: [{ pointer: '', code: 'json', message }],
  });

interface Level {
  /** Undefined in an array. */
  names: Set<string> | undefined;
  /** The member or index we are at. */
  at: string;
  index: number;
}

/** One pass over the tokens that matter: strings, brackets, commas. Other faults are JSON.parse's to find. */
function checkStructure(text: string): void {
  const levels: Level[] = [];
  let expectName = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    const level = levels.at(-1);
    if (character === '"') {
      const start = i;
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
      if (expectName && level?.names) nameMember(level, text.slice(start, i + 1), levels);
      expectName = false;
    } else if (character === '{' || character === '[') {
      if (levels.length === DEPTH_MAX) throw malformed(`the body is nested more than ${DEPTH_MAX} levels deep`);
      expectName = character === '{';
      levels.push({ names: expectName ? new Set() : undefined, at: '0', index: 0 });
    } else if (character === '}' || character === ']') {
      levels.pop();
      expectName = false;
    } else if (character === ',' && level) {
      expectName = level.names !== undefined;
      if (!expectName) level.at = String(++level.index);
    }
  }
}

function nameMember(level: Level, token: string, levels: readonly Level[]): void {
  let name: string;
  try {
    name = String(JSON.parse(token));
  } catch {
    return;
  }
  level.at = name;
  if (level.names?.has(name)) throw invalidField(pointerTo(levels.map(({ at }) => at)), 'the member is named twice', 'duplicate');
  level.names?.add(name);
}

/** An RFC 6901 pointer for an error. The contract names no member by a number, but a caller may: an error repeats no such name. */
export const pointerTo = (steps: readonly (string | number)[]): string =>
  steps
    .map(
      (step) =>
        `/${String(step)
          .replaceAll('~', '~0')
          .replaceAll('/', '~1')
          .replaceAll(/\d{8,}/g, '…')}`,
    )
    .join('');
