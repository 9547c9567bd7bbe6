import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { STATUS } from '../smpp/index.js';
import type { CommandContext } from './command-context.js';
import { STATUS_WORDS } from './smpp-status-words.js';

const pages = fileURLToPath(new URL('../../docs/errors/', import.meta.url));

/** What `causeway explain` exits with when there is no such code. */
const EXIT_UNKNOWN = 3;
const NEAR_MAX = 5;

/**
 * `causeway explain CODE`: the page of an error code; or an SMPP command_status by its name, with or without `ESME_`, or
 * by its number, decimal or `0x…`. Of anything else it says what is near.
 *
 * @returns the exit code: 0, or 3 when there is no such code.
 */
export function explain({ write }: Pick<CommandContext, 'write'>, asked: string): number {
  const wanted = asked.trim().toUpperCase();
  const codes = readdirSync(pages).map((name) => name.replace(/\.md$/, ''));
  if (codes.includes(wanted)) {
    write(readFileSync(`${pages}${wanted}.md`, 'utf8'));
    return 0;
  }
  const statuses = Object.entries(STATUS);
  const number = /^(0X[0-9A-F]{1,8}|[0-9]{1,10})$/.test(wanted) ? Number(wanted) : undefined;
  const found = statuses.find(([name, value]) => name === wanted || name === `ESME_${wanted}` || value === number);
  if (found) {
    write(status(...found));
    return 0;
  }
  if (number !== undefined && number >= 0x400 && number <= 0x4ff) {
    write(
      `0x${number.toString(16).padStart(8, '0')} (${number}) is one of the SMSC vendor's own command_status values (SMPP 3.4 §5.1.3).\n`,
    );
    write('Ask the operator what it means. We treat it as refused for good: the message is `rejected`, see: explain SMPP.REFUSED\n');
    return 0;
  }
  const near = nearest(wanted, [...codes, ...statuses.map(([name]) => name)]);
  write(`There is no error code or command_status ${JSON.stringify(asked.slice(0, 80))}.\n`);
  if (near.length > 0) write(`Near: ${near.join(', ')}\n`);
  write(`All codes have a page in docs/errors/; an SMPP status is asked for as ESME_RTHROTTLED, 0x58 or 88.\n`);
  return EXIT_UNKNOWN;
}

function status(name: string, value: number): string {
  const words = STATUS_WORDS[name as keyof typeof STATUS];
  return [
    `${name}  0x${value.toString(16).padStart(8, '0')} (${value})`,
    '',
    words,
    '',
    value === 0 ? 'Nothing went wrong.' : 'What the gateway does when an SMSC answers so: npm run causeway -- explain SMPP.REFUSED',
    '',
  ].join('\n');
}

/** Those that hold the word, or differ in few letters, the nearest first. */
function nearest(wanted: string, known: readonly string[]): string[] {
  return known
    .map((name) => ({ name, distance: Math.min(...[name, name.replace(/^.*\.|^ESME_R?/, '')].map((form) => apart(wanted, form))) }))
    .filter(({ name, distance }) => (wanted.length > 2 && name.includes(wanted)) || distance <= Math.max(1, Math.floor(wanted.length / 3)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, NEAR_MAX)
    .map(({ name }) => name);
}

/** Levenshtein's distance. */
function apart(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
