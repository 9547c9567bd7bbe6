import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

/** Fields that must never be logged. Code does not log them; redaction is the second net. */
const SECRET_FIELDS = [
  'msisdn', 'imsi', 'iccid', 'to', 'from', 'text', 'body', 'token', 'accessToken', 'authorization', 'secret', 'clientSecret',
  'password', 'key', 'privateKey', 'short_message', 'source_addr', 'destination_addr', 'activationCode',
]; // biome-ignore format: one glance, one list

/** Kinds of error whose message is our own, the operating system's, or the language's about our code. */
const PLAIN_ERRORS = new Set(['Error', 'GatewayError', 'TypeError', 'RangeError', 'ReferenceError']);

/**
 * How an error is written: its kind, code and place, and the message only where it quotes no data. Others repeat what
 * they choked on: Prisma the row, `JSON.parse` the text.
 */
function describeError(failure: unknown): unknown {
  if (!(failure instanceof Error)) return { type: typeof failure };
  const code: unknown = Reflect.get(failure, 'code');
  const frames = failure.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return {
    type: failure.name,
    ...(typeof code === 'string' && { code }),
    ...(PLAIN_ERRORS.has(failure.name) && { message: failure.message.replace(/\+?[0-9]{7,}/g, '[digits]') }),
    ...(frames && { stack: frames.slice(0, 12).map((frame) => frame.trim()) }),
    ...(failure.cause !== undefined && { cause: describeError(failure.cause) }),
  };
}

/**
 * A structured log, one JSON object a line. Messages are constant; facts are fields; ids, never contents.
 *
 * @param destination standard output unless a test wants to read what was written.
 */
export function createLog(level: string, destination?: DestinationStream): Log {
  const paths = SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]);
  const redact = { paths, censor: '[redacted]' };
  const options = { level, base: null, redact, serializers: { err: describeError }, timestamp: pino.stdTimeFunctions.isoTime };
  return destination ? pino(options, destination) : pino(options);
}
