import { assert } from '../kernel/errors.js';

const PREFIX = 'causeway.';
/** Subjects hold an id at most; NATS itself takes 4,096 octets in a control line. */
const SUBJECT_MAX = 200;

/**
 * A subject of ours as NATS takes it: below `causeway.`, with everything that NATS gives a meaning (`*`, `>`, spaces, empty
 * tokens) written as `=XX` for each octet. No two subjects have the same form.
 */
export function natsSubject(subject: string): string {
  assert(subject.length > 0 && subject.length <= SUBJECT_MAX, 'a subject has 1 to 200 characters');
  const escaped = subject.replace(/[^A-Za-z0-9_.-]+/gu, (run) => [...Buffer.from(run, 'utf8')].map(escapeOctet).join(''));
  // A dot stands between two tokens; any other would leave an empty one.
  return PREFIX + escaped.replace(/^\.|(?<=\.)\.|\.$/g, '=2E');
}

const escapeOctet = (octet: number): string => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
