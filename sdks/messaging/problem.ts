/**
 * What every refused call rejects with.
 *
 * `status` is the HTTP status, or 0 when no answer came. `code` is the problem body's code (`MESSAGING.DEVICES_MISMATCH`)
 * or one of the SDK's own, which begin with `CLIENT.`. `problem` is the body as it arrived (RFC 9457).
 */
export class MessagingError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: string,
    detail: string,
    given: { status?: number; problem?: Readonly<Record<string, unknown>>; retryAfterSeconds?: number | undefined; cause?: unknown } = {},
  ) {
    super(`${code}: ${detail}`, given.cause === undefined ? {} : { cause: given.cause });
    this.name = 'MessagingError';
    this.code = code;
    this.status = given.status ?? 0;
    this.problem = given.problem ?? {};
    this.retryAfterSeconds = given.retryAfterSeconds;
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `JSON.parse` for text from elsewhere: anything but a JSON object is `undefined`. */
export function parseJsonObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Turns an answer that is not 2xx into the error; a body that is no problem document still gives a code. */
export function toMessagingError(status: number, body: unknown, retryAfter?: string | null): MessagingError {
  const problem = isRecord(body) ? body : {};
  const code = typeof problem['code'] === 'string' ? problem['code'] : `CLIENT.HTTP_${status}`;
  const words = problem['detail'] ?? problem['title'];
  const seconds = Number(retryAfter);
  return new MessagingError(code, typeof words === 'string' ? words : `The gateway answered ${status}.`, {
    status,
    problem,
    retryAfterSeconds: retryAfter && Number.isFinite(seconds) ? seconds : undefined,
  });
}
